/* SPDX-License-Identifier: 0BSD */
#include "dequantize.h"

void edgekit_dequantize_s8(const edgekit_dequantize_t *op, const int8_t *input, float *output) {
  const union {
    int32_t bits;
    float value;
  } scale = {op->scale_bits};
  for (int32_t i = 0; i < op->count; i++) {
    output[i] = scale.value * (float)(input[i] - op->zero_point);
  }
}
