#ifndef TFLM_DOUBLE_KERNELS_ADD_H
#define TFLM_DOUBLE_KERNELS_ADD_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_ADD_INT8() { return {0, nullptr}; }

}  // namespace tflite

#endif
