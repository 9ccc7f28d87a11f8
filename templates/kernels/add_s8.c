/* SPDX-License-Identifier: 0BSD */
#include "add.h"

static void add_row(const void *op, const int8_t *input1, const int8_t *input2, int8_t *output) {
  /* Locals: a store through int8_t * could change what op points to. */
  const edgekit_add_t o = *(const edgekit_add_t *)op;
  const int32_t count = o.over.shape[o.over.rank - 1];
  const int32_t stride1 = o.over.input1_stride[o.over.rank - 1];
  const int32_t stride2 = o.over.input2_stride[o.over.rank - 1];
  for (int32_t i = 0; i < count; i++) {
    const int32_t sum = *input1 * o.input1_step + o.input2_table[*input2 + 128];
    const int32_t product = edgekit_high_mul(sum, o.output_multiplier);
    const int32_t scaled = edgekit_rounding_shift(product, o.output_right_shift);
    *output++ = (int8_t)edgekit_clamp(scaled + o.output_zero_point, o.activation_min,
                                      o.activation_max);
    input1 += stride1;
    input2 += stride2;
  }
}

void edgekit_add_s8(const edgekit_add_t *op, const int8_t *input1, const int8_t *input2,
                    int8_t *output) {
  edgekit_broadcast(&op->over, add_row, op, input1, input2, output);
}
