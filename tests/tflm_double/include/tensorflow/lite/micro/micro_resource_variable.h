#ifndef TFLM_DOUBLE_MICRO_RESOURCE_VARIABLE_H
#define TFLM_DOUBLE_MICRO_RESOURCE_VARIABLE_H

#include "tensorflow/lite/micro/micro_allocator.h"

namespace tflite {

class MicroResourceVariables {
 public:
  static MicroResourceVariables *Create(MicroAllocator *allocator, int count);
  int count = 0;
};

}  // namespace tflite

#endif
