#ifndef TFLM_DOUBLE_KERNELS_PAD_H
#define TFLM_DOUBLE_KERNELS_PAD_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_PAD_INT8() { return {34, nullptr}; }

}  // namespace tflite

#endif
