/* SPDX-License-Identifier: 0BSD */
#include "mean.h"

static int32_t sum_from(const edgekit_mean_t *op, const int8_t *input) {
  int32_t sum = 0;
  for (int32_t outer = 0; outer < op->reduced_outer; outer++) {
    const int8_t *value = input;
    for (int32_t inner = 0; inner < op->reduced_inner; inner++) {
      sum += *value;
      value += op->reduced_inner_stride;
    }
    input += op->reduced_outer_stride;
  }
  return sum;
}

void edgekit_mean_s8(const edgekit_mean_t *op, const int8_t *input, int8_t *output) {
  for (int32_t outer = 0; outer < op->kept_outer; outer++) {
    const int8_t *first = input;
    for (int32_t inner = 0; inner < op->kept_inner; inner++) {
      const int32_t sum = sum_from(op, first) + op->sum_offset;
      const int32_t scaled = edgekit_requantize(sum, op->multiplier, op->shift);
      *output++ = (int8_t)edgekit_clamp(edgekit_sum(scaled, op->output_zero_point), INT8_MIN,
                                        INT8_MAX);
      first += op->kept_inner_stride;
    }
    input += op->kept_outer_stride;
  }
}
