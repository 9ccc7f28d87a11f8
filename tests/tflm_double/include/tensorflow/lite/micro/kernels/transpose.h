#ifndef TFLM_DOUBLE_KERNELS_TRANSPOSE_H
#define TFLM_DOUBLE_KERNELS_TRANSPOSE_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_TRANSPOSE_INT8() { return {39, nullptr}; }

}  // namespace tflite

#endif
