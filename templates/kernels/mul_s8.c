/* SPDX-License-Identifier: 0BSD */
#include "mul.h"

static void mul_row(const void *op, const int8_t *input1, const int8_t *input2, int8_t *output) {
  /* Locals: a store through int8_t * could change what op points to. */
  const edgekit_mul_t o = *(const edgekit_mul_t *)op;
  const int32_t count = o.over.shape[o.over.rank - 1];
  const int32_t stride1 = o.over.input1_stride[o.over.rank - 1];
  const int32_t stride2 = o.over.input2_stride[o.over.rank - 1];
  for (int32_t i = 0; i < count; i++) {
    const int32_t product = (*input1 - o.input1_zero_point) * (*input2 - o.input2_zero_point);
    const int32_t scaled = edgekit_requantize(product, o.output_multiplier, o.output_shift);
    *output++ = (int8_t)edgekit_clamp(scaled + o.output_zero_point, o.activation_min,
                                      o.activation_max);
    input1 += stride1;
    input2 += stride2;
  }
}

void edgekit_mul_s8(const edgekit_mul_t *op, const int8_t *input1, const int8_t *input2,
                    int8_t *output) {
  edgekit_broadcast(&op->over, mul_row, op, input1, input2, output);
}
