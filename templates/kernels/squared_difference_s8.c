/* SPDX-License-Identifier: 0BSD */
#include "squared_difference.h"

static void squared_difference_row(const void *op, const int8_t *input1, const int8_t *input2,
                                   int8_t *output) {
  /* Locals: a store through int8_t * could change what op points to. */
  const edgekit_squared_difference_t o = *(const edgekit_squared_difference_t *)op;
  const int32_t count = o.over.shape[o.over.rank - 1];
  const int32_t stride1 = o.over.input1_stride[o.over.rank - 1];
  const int32_t stride2 = o.over.input2_stride[o.over.rank - 1];
  for (int32_t i = 0; i < count; i++) {
    const int32_t difference = o.input1_table[*input1 + 128] - o.input2_table[*input2 + 128];
    const int32_t scaled =
        edgekit_requantize(difference * difference, o.output_multiplier, o.output_shift);
    *output++ = (int8_t)edgekit_clamp(edgekit_sum(scaled, o.output_zero_point), INT8_MIN,
                                      INT8_MAX);
    input1 += stride1;
    input2 += stride2;
  }
}

void edgekit_squared_difference_s8(const edgekit_squared_difference_t *op, const int8_t *input1,
                                   const int8_t *input2, int8_t *output) {
  edgekit_broadcast(&op->over, squared_difference_row, op, input1, input2, output);
}
