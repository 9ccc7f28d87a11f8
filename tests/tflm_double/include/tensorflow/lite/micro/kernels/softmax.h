#ifndef TFLM_DOUBLE_KERNELS_SOFTMAX_H
#define TFLM_DOUBLE_KERNELS_SOFTMAX_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_SOFTMAX_INT8() { return {25, nullptr}; }

}  // namespace tflite

#endif
