/* SPDX-License-Identifier: 0BSD */
#include "quantize.h"

/* Within +-256: more does not change an int8, and would overflow the conversion. */
static int32_t rounded(float value) {
  if (value != value) {
    return 0;
  }
  if (value >= 256.0f || value <= -256.0f) {
    return value > 0.0f ? 256 : -256;
  }
  const int32_t whole = (int32_t)value;
  const float rest = value - (float)whole;
  return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

void edgekit_quantize_f32(const edgekit_quantize_t *op, const float *input, int8_t *output) {
  const union {
    int32_t bits;
    float value;
  } scale = {op->scale_bits};
  for (int32_t i = 0; i < op->count; i++) {
    output[i] = (int8_t)edgekit_clamp(rounded(input[i] / scale.value) + op->zero_point, -128, 127);
  }
}
