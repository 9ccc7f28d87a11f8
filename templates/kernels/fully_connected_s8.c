/* SPDX-License-Identifier: 0BSD */
#include "fully_connected.h"

static int32_t dot(const int8_t *a, const int8_t *b, int32_t count) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

void edgekit_fully_connected_s8(const edgekit_fully_connected_t *op, const int8_t *input,
                                int8_t *output) {
  for (int32_t row = 0; row < op->rows; row++) {
    const int8_t *weights = op->weights;
    for (int32_t out = 0; out < op->output_depth; out++) {
      const int32_t accumulator = edgekit_sum(
          dot(input, weights, op->input_depth), op->bias[out]);
      const int32_t scaled = edgekit_requantize(accumulator, op->multiplier[out], op->shift[out]);
      *output++ = (int8_t)edgekit_clamp(edgekit_sum(scaled, op->output_zero_point),
                                        op->activation_min, op->activation_max);
      weights += op->input_depth;
    }
    input += op->input_depth;
  }
}
