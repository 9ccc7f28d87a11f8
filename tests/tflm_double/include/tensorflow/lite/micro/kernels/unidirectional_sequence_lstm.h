#ifndef TFLM_DOUBLE_KERNELS_UNIDIRECTIONAL_SEQUENCE_LSTM_H
#define TFLM_DOUBLE_KERNELS_UNIDIRECTIONAL_SEQUENCE_LSTM_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

inline TFLMRegistration Register_UNIDIRECTIONAL_SEQUENCE_LSTM_INT8() { return {44, nullptr}; }

}  // namespace tflite

#endif
