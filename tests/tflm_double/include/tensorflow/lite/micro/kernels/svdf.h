#ifndef TFLM_DOUBLE_KERNELS_SVDF_H
#define TFLM_DOUBLE_KERNELS_SVDF_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_SVDF_INT8() { return {27, nullptr}; }

}  // namespace tflite

#endif
