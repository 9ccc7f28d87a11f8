#ifndef TFLM_DOUBLE_KERNELS_FULLY_CONNECTED_H
#define TFLM_DOUBLE_KERNELS_FULLY_CONNECTED_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_FULLY_CONNECTED_INT8() { return {9, nullptr}; }
inline TFLMRegistration Register_FULLY_CONNECTED_INT4() { return {9, nullptr}; }

}  // namespace tflite

#endif
