#ifndef TFLM_DOUBLE_KERNELS_POOLING_H
#define TFLM_DOUBLE_KERNELS_POOLING_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_AVERAGE_POOL_2D_INT8() { return {1, nullptr}; }
inline TFLMRegistration Register_MAX_POOL_2D_INT8() { return {17, nullptr}; }

}  // namespace tflite

#endif
