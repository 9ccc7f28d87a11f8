/* SPDX-License-Identifier: 0BSD */
#include "prelu.h"

static void prelu_row(const void *op, const int8_t *input, const int8_t *alpha, int8_t *output) {
  /* Locals: a store through int8_t * could change what op points to. */
  const edgekit_prelu_t o = *(const edgekit_prelu_t *)op;
  const int32_t count = o.over.shape[o.over.rank - 1];
  const int32_t input_stride = o.over.input1_stride[o.over.rank - 1];
  const int32_t alpha_stride = o.over.input2_stride[o.over.rank - 1];
  for (int32_t i = 0; i < count; i++) {
    const int32_t value = *input - o.input_zero_point;
    const int32_t scaled =
        value >= 0 ? edgekit_requantize(value, o.positive_multiplier, o.positive_shift)
                   : edgekit_requantize(value * (*alpha - o.alpha_zero_point),
                                        o.negative_multiplier, o.negative_shift);
    *output++ = (int8_t)edgekit_clamp(edgekit_sum(scaled, o.output_zero_point), INT8_MIN,
                                      INT8_MAX);
    input += input_stride;
    alpha += alpha_stride;
  }
}

void edgekit_prelu_s8(const edgekit_prelu_t *op, const int8_t *input, const int8_t *alpha,
                      int8_t *output) {
  edgekit_broadcast(&op->over, prelu_row, op, input, alpha, output);
}
