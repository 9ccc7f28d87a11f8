#ifndef TFLM_DOUBLE_KERNELS_CONV_H
#define TFLM_DOUBLE_KERNELS_CONV_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_CONV_2D_INT8() { return {3, nullptr}; }
inline TFLMRegistration Register_CONV_2D_INT4() { return {3, nullptr}; }

}  // namespace tflite

#endif
