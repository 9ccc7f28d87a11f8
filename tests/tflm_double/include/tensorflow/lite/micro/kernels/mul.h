#ifndef TFLM_DOUBLE_KERNELS_MUL_H
#define TFLM_DOUBLE_KERNELS_MUL_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_MUL_INT8() { return {18, nullptr}; }

}  // namespace tflite

#endif
