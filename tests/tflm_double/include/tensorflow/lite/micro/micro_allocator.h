#ifndef TFLM_DOUBLE_MICRO_ALLOCATOR_H
#define TFLM_DOUBLE_MICRO_ALLOCATOR_H

#include "tensorflow/lite/c/common.h"

namespace tflite {

/* An arena that several users share; there is one in a program. */
class MicroAllocator {
 public:
  static MicroAllocator *Create(uint8_t *arena, size_t size);
  uint8_t *arena = nullptr;
  size_t size = 0;
};

}  // namespace tflite

#endif
