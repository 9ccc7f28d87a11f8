#ifndef TFLM_DOUBLE_MICRO_INTERPRETER_H
#define TFLM_DOUBLE_MICRO_INTERPRETER_H

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroAllocator;
class MicroOpResolver;
class MicroResourceVariables;

class MicroInterpreter {
 public:
  MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena, size_t size,
                   MicroResourceVariables *variables = nullptr);
  MicroInterpreter(const Model *model, const MicroOpResolver &resolver, MicroAllocator *allocator,
                   MicroResourceVariables *variables = nullptr);
  ~MicroInterpreter() {}

  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor *input(size_t index);
  TfLiteTensor *output(size_t index);
  size_t arena_used_bytes() const { return used_; }

 private:
  const uint8_t *model_;
  const MicroOpResolver &resolver_;
  uint8_t *arena_;
  size_t size_, used_ = 0;
  MicroResourceVariables *variables_;
  bool allocated_ = false;
  TfLiteTensor inputs_[8], outputs_[8];
};

}  // namespace tflite

#endif
