/* The double's interpreter: reads which operators the flatbuffer asks for, and hands the
 * inference to the aot code of the same model.
 */
#include "tensorflow/lite/micro/micro_interpreter.h"

#include "double_model.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/micro_resource_variable.h"

#ifndef TFLM_DOUBLE_ARENA
#error "TFLM_DOUBLE_ARENA: bytes of arena that AllocateTensors asks for"
#endif

namespace tflite {
namespace {

constexpr int kVarHandle = 142; /* BuiltinOperator_VAR_HANDLE */

MicroAllocator the_allocator;
MicroResourceVariables the_variables;

uint32_t read(const uint8_t *at, int bytes) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; i++) {
    value |= static_cast<uint32_t>(at[i]) << (8 * i);
  }
  return value;
}

const uint8_t *follow(const uint8_t *at) { return at + read(at, 4); }

/* The field of a flatbuffer's table, nullptr where it has its default. */
const uint8_t *field(const uint8_t *table, uint32_t slot) {
  const uint8_t *vtable = table - static_cast<int32_t>(read(table, 4));
  const uint32_t entry = 4 + 2 * slot;
  const uint32_t offset = entry < read(vtable, 2) ? read(vtable + entry, 2) : 0;
  return offset == 0 ? nullptr : table + offset;
}

/* OperatorCode: the old 8-bit field, or the new one where the number needs it. */
int operator_code(const uint8_t *table) {
  const uint8_t *old_code = field(table, 0), *code = field(table, 3);
  const int small = old_code == nullptr ? 0 : static_cast<int8_t>(*old_code);
  const int large = code == nullptr ? 0 : static_cast<int32_t>(read(code, 4));
  return small > large ? small : large;
}

}  // namespace

MicroAllocator *MicroAllocator::Create(uint8_t *arena, size_t size) {
  the_allocator.arena = arena;
  the_allocator.size = size;
  return &the_allocator;
}

MicroResourceVariables *MicroResourceVariables::Create(MicroAllocator *allocator, int count) {
  if (allocator == nullptr || count < 1) {
    return nullptr;
  }
  the_variables.count = count;
  return &the_variables;
}

MicroInterpreter::MicroInterpreter(const Model *model, const MicroOpResolver &resolver,
                                   uint8_t *arena, size_t size, MicroResourceVariables *variables)
    : model_(reinterpret_cast<const uint8_t *>(model)), resolver_(resolver), arena_(arena),
      size_(size), variables_(variables) {}

MicroInterpreter::MicroInterpreter(const Model *model, const MicroOpResolver &resolver,
                                   MicroAllocator *allocator, MicroResourceVariables *variables)
    : MicroInterpreter(model, resolver, allocator->arena, allocator->size, variables) {}

TfLiteStatus MicroInterpreter::AllocateTensors() {
  if (reinterpret_cast<uintptr_t>(model_) % 16 != 0 ||
      reinterpret_cast<uintptr_t>(arena_) % 16 != 0 || read(model_ + 4, 4) != 0x334C4654u) {
    return kTfLiteError;
  }
  const uint8_t *codes = field(follow(model_), 1);
  if (codes == nullptr) {
    return kTfLiteError;
  }
  codes = follow(codes);
  for (uint32_t i = 0; i < read(codes, 4); i++) {
    const int code = operator_code(follow(codes + 4 + 4 * i));
    if (!resolver_.has(code) || (code == kVarHandle && variables_ == nullptr)) {
      return kTfLiteError;
    }
  }
  /* It is ours to write on. */
  for (used_ = 0; used_ < size_ && used_ < TFLM_DOUBLE_ARENA; used_++) {
    arena_[used_] = 0xA5;
  }
  if (used_ < TFLM_DOUBLE_ARENA) {
    return kTfLiteError;
  }
  for (int i = 0; i < DOUBLE_MODEL_INPUT_COUNT; i++) {
    inputs_[i].data.data = double_model_input_at(i);
  }
  for (int i = 0; i < DOUBLE_MODEL_OUTPUT_COUNT; i++) {
    outputs_[i].data.data = const_cast<void *>(double_model_output_at(i));
  }
  allocated_ = true;
  return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke() {
  return allocated_ && double_model_invoke() == 0 ? kTfLiteOk : kTfLiteError;
}

TfLiteTensor *MicroInterpreter::input(size_t index) {
  return allocated_ && index < DOUBLE_MODEL_INPUT_COUNT ? &inputs_[index] : nullptr;
}

TfLiteTensor *MicroInterpreter::output(size_t index) {
  return allocated_ && index < DOUBLE_MODEL_OUTPUT_COUNT ? &outputs_[index] : nullptr;
}

}  // namespace tflite
