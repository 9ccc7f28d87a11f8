/* SPDX-License-Identifier: 0BSD */
#include "softmax.h"

/* The sum of exponentials has 12 integer bits: 4095 ones fit. */
#define SUM_INTEGER_BITS 12

typedef struct {
  int32_t scale;    /* Q0.31 */
  int32_t exponent; /* an output is scale * exp / 2^exponent */
} edgekit_reciprocal_t;

static int32_t saturating_shift(int32_t value, int32_t left) {
  const int32_t limit = INT32_MAX >> left;
  if (value > limit) {
    return INT32_MAX;
  }
  return value < -limit ? INT32_MIN : value * (1 << left);
}

/* 1 / (1 + x), x in [0, 1) and the result in Q0.31: three Newton-Raphson steps in Q2.29. */
static int32_t one_over_one_plus(int32_t x) {
  const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
  int32_t estimate = 1515870810 + edgekit_high_mul(half_denominator, -1010580540);
  for (int i = 0; i < 3; i++) {
    const int32_t error = (1 << 29) - edgekit_high_mul(half_denominator, estimate);
    estimate += saturating_shift(edgekit_high_mul(estimate, error), 2);
  }
  return saturating_shift(estimate, 1);
}

static int8_t row_maximum(const int8_t *input, int32_t depth) {
  int8_t maximum = input[0];
  for (int32_t i = 1; i < depth; i++) {
    maximum = input[i] > maximum ? input[i] : maximum;
  }
  return maximum;
}

/* The sum holds at least the maximum's own term, exp(0) = 1. */
static edgekit_reciprocal_t reciprocal_of_sum(const int32_t *exp_table, const int8_t *input,
                                              int32_t depth, int8_t maximum) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < depth; i++) {
    sum += (uint32_t)edgekit_rounding_shift(exp_table[maximum - input[i]], SUM_INTEGER_BITS);
  }
  int32_t integer_bits = SUM_INTEGER_BITS;
  while ((sum & UINT32_C(0x80000000)) == 0) {
    sum <<= 1;
    integer_bits--;
  }
  const int32_t fraction = (int32_t)(sum & UINT32_C(0x7fffffff));
  return (edgekit_reciprocal_t){one_over_one_plus(fraction), integer_bits + 31 - 8};
}

void edgekit_softmax_s8(const edgekit_softmax_t *op, const int8_t *input, int8_t *output) {
  const edgekit_softmax_t o = *op;
  for (int32_t row = 0; row < o.rows; row++) {
    const int8_t maximum = row_maximum(input, o.depth);
    const edgekit_reciprocal_t reciprocal =
        reciprocal_of_sum(o.exp_table, input, o.depth, maximum);
    for (int32_t i = 0; i < o.depth; i++) {
      const int32_t share = edgekit_high_mul(reciprocal.scale, o.exp_table[maximum - input[i]]);
      /* Beyond 31 bits every share is less than half a step. */
      const int32_t steps =
          reciprocal.exponent > 31 ? 0 : edgekit_rounding_shift(share, reciprocal.exponent);
      output[i] = (int8_t)edgekit_clamp(steps - 128, -128, 127);
    }
    input += o.depth;
    output += o.depth;
  }
}
