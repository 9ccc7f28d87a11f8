#ifndef TFLM_DOUBLE_SCHEMA_GENERATED_H
#define TFLM_DOUBLE_SCHEMA_GENERATED_H

namespace tflite {

/* Only its address is used: where the flatbuffer begins. */
struct Model;

inline const Model *GetModel(const void *buffer) { return static_cast<const Model *>(buffer); }

}  // namespace tflite

#endif
