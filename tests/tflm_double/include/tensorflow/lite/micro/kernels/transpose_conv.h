#ifndef TFLM_DOUBLE_KERNELS_TRANSPOSE_CONV_H
#define TFLM_DOUBLE_KERNELS_TRANSPOSE_CONV_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_TRANSPOSE_CONV_INT8() { return {67, nullptr}; }

}  // namespace tflite

#endif
