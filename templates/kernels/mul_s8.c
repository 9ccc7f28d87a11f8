/* SPDX-License-Identifier: 0BSD */
#include "mul.h"

static void mul_row(const edgekit_mul_t *op, const int8_t *input1, const int8_t *input2,
                    int8_t *output) {
  /* Locals: a store through int8_t * could change what op points to. */
  const edgekit_mul_t o = *op;
  const int32_t count = o.shape[3];
  const int32_t step1 = o.input1_stride[3];
  const int32_t step2 = o.input2_stride[3];
  for (int32_t i = 0; i < count; i++) {
    const int32_t product = (*input1 - o.input1_zero_point) * (*input2 - o.input2_zero_point);
    const int32_t scaled = edgekit_requantize(product, o.output_multiplier, o.output_shift);
    *output++ = (int8_t)edgekit_clamp(scaled + o.output_zero_point, o.activation_min,
                                      o.activation_max);
    input1 += step1;
    input2 += step2;
  }
}

void edgekit_mul_s8(const edgekit_mul_t *op, const int8_t *input1, const int8_t *input2,
                    int8_t *output) {
  const int32_t *const shape = op->shape;
  const int32_t *const stride1 = op->input1_stride;
  const int32_t *const stride2 = op->input2_stride;
  for (int32_t i = 0; i < shape[0]; i++) {
    for (int32_t j = 0; j < shape[1]; j++) {
      for (int32_t k = 0; k < shape[2]; k++) {
        mul_row(op, input1 + i * stride1[0] + j * stride1[1] + k * stride1[2],
                input2 + i * stride2[0] + j * stride2[1] + k * stride2[2], output);
        output += shape[3];
      }
    }
  }
}
