#ifndef TFLM_DOUBLE_KERNELS_MAXIMUM_MINIMUM_H
#define TFLM_DOUBLE_KERNELS_MAXIMUM_MINIMUM_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_MAXIMUM_INT8() { return {55, nullptr}; }
inline TFLMRegistration Register_MINIMUM_INT8() { return {57, nullptr}; }

}  // namespace tflite

#endif
