#ifndef TFLM_DOUBLE_KERNELS_DEPTHWISE_CONV_H
#define TFLM_DOUBLE_KERNELS_DEPTHWISE_CONV_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_DEPTHWISE_CONV_2D_INT8() { return {4, nullptr}; }
inline TFLMRegistration Register_DEPTHWISE_CONV_2D_INT4() { return {4, nullptr}; }

}  // namespace tflite

#endif
