#ifndef TFLM_DOUBLE_KERNELS_BATCH_MATMUL_H
#define TFLM_DOUBLE_KERNELS_BATCH_MATMUL_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_BATCH_MATMUL_INT8() { return {126, nullptr}; }

}  // namespace tflite

#endif
