/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "fully_connected_dsp.h"

#define OUTPUTS 4

/* Adds `words` words of input times weights to four sums; returns the weights behind them. */
#if EDGEKIT_DSP_ASSEMBLY

/* One word of input, the four words of weights in r6-r9; sums in r2, r4, r5, r12. */
#define FOUR_INPUTS                  \
  "ldr    r10, [r1], #4          \n" \
  "ldm    r0!, {r6-r9}           \n" \
  "sxtb16 r11, r10, ror #8       \n" \
  "sxtb16 r10, r10               \n" \
  "sxtb16 lr, r6                 \n" \
  "sxtb16 r6, r6, ror #8         \n" \
  "smlad  r2, lr, r10, r2        \n" \
  "smlad  r2, r6, r11, r2        \n" \
  "sxtb16 lr, r7                 \n" \
  "sxtb16 r7, r7, ror #8         \n" \
  "smlad  r4, lr, r10, r4        \n" \
  "smlad  r4, r7, r11, r4        \n" \
  "sxtb16 lr, r8                 \n" \
  "sxtb16 r8, r8, ror #8         \n" \
  "smlad  r5, lr, r10, r5        \n" \
  "smlad  r5, r8, r11, r5        \n" \
  "sxtb16 lr, r9                 \n" \
  "sxtb16 r9, r9, ror #8         \n" \
  "smlad  r12, lr, r10, r12      \n" \
  "smlad  r12, r9, r11, r12      \n"

__attribute__((naked, noinline)) static const int32_t *add_four(
    const int32_t *weights __attribute__((unused)), const int8_t *input __attribute__((unused)),
    int32_t words __attribute__((unused)), int32_t sums[OUTPUTS] __attribute__((unused))) {
  __asm__ volatile(
      "push   {r3-r11, lr}           \n"
      "add    r14, r1, r2, lsl #2    \n" /* end of the input */
      "and    r6, r2, #3             \n"
      "ldm    r3, {r2, r4, r5, r12}  \n"
      "mov    r3, r14                \n"
      "tst    r6, #1                 \n"
      "beq    1f                     \n"
      FOUR_INPUTS
      "1:                            \n"
      "sub    r6, r3, r1             \n"
      "tst    r6, #8                 \n"
      "beq    2f                     \n"
      FOUR_INPUTS FOUR_INPUTS
      "2:                            \n"
      "cmp    r1, r3                 \n"
      "beq    4f                     \n"
      "3:                            \n"
      FOUR_INPUTS FOUR_INPUTS FOUR_INPUTS FOUR_INPUTS
      "cmp    r1, r3                 \n"
      "bne    3b                     \n"
      "4:                            \n"
      "pop    {r3}                   \n"
      "stm    r3, {r2, r4, r5, r12}  \n"
      "pop    {r4-r11, pc}           \n");
}

#else

static const int32_t *add_four(const int32_t *weights, const int8_t *input, int32_t words,
                               int32_t sums[OUTPUTS]) {
  for (; words > 0; words--) {
    const uint32_t word = edgekit_load4(input);
    const int32_t even = edgekit_even_bytes(word);
    const int32_t odd = edgekit_odd_bytes(word);
    for (int32_t i = 0; i < OUTPUTS; i++) {
      const uint32_t weight = (uint32_t)weights[i];
      sums[i] = edgekit_multiply_pair(edgekit_even_bytes(weight), even, sums[i]);
      sums[i] = edgekit_multiply_pair(edgekit_odd_bytes(weight), odd, sums[i]);
    }
    weights += OUTPUTS;
    input += 4;
  }
  return weights;
}

#endif

/* The same for one sum. */
static int32_t add_one(const int32_t *weights, const int8_t *input, int32_t words, int32_t sum) {
  for (; words > 0; words--) {
    const uint32_t word = edgekit_load4(input);
    const uint32_t weight = (uint32_t)*weights++;
    sum = edgekit_multiply_pair(edgekit_even_bytes(weight), edgekit_even_bytes(word), sum);
    sum = edgekit_multiply_pair(edgekit_odd_bytes(weight), edgekit_odd_bytes(word), sum);
    input += 4;
  }
  return sum;
}

/* What is left of the input behind its last whole word, zeros behind it. */
static void load_rest(const int8_t *input, int32_t count, int8_t rest[4]) {
  for (int32_t i = 0; i < 4; i++) {
    rest[i] = 0;
    if (i < count) {
      rest[i] = input[i];
    }
  }
}

static void row(const edgekit_fully_connected_dsp_t *op, const int8_t *input, int8_t *output) {
  const int32_t words = op->input_depth / 4;
  const int32_t has_rest = op->input_depth % 4 != 0 ? 1 : 0;
  const int32_t offset = 2 * op->output_zero_point + 1;
  const int32_t *weights = op->weights;
  int8_t rest[4];
  load_rest(input + 4 * words, op->input_depth % 4, rest);
  int32_t out = 0;
  for (; out + OUTPUTS <= op->output_depth; out += OUTPUTS) {
    int32_t sums[OUTPUTS] = {op->bias[out], op->bias[out + 1], op->bias[out + 2],
                             op->bias[out + 3]};
    weights = add_four(weights, input, words, sums);
    weights = has_rest != 0 ? add_four(weights, rest, 1, sums) : weights;
    for (int32_t i = 0; i < OUTPUTS; i++) {
      output[out + i] = edgekit_requantize_proven(sums[i], op->multiplier[out + i],
                                                  op->right_shift[out + i] - 1, offset);
    }
  }
  for (; out < op->output_depth; out++) {
    int32_t sum = add_one(weights, input, words, op->bias[out]);
    sum = add_one(weights + words, rest, has_rest, sum);
    weights += words + has_rest;
    output[out] = edgekit_requantize_proven(sum, op->multiplier[out], op->right_shift[out] - 1,
                                            offset);
  }
}

void edgekit_fully_connected_s8_dsp(const edgekit_fully_connected_dsp_t *op, const int8_t *input,
                                    int8_t *output) {
  for (int32_t i = 0; i < op->rows; i++) {
    row(op, input, output);
    edgekit_clamp_s8(output, op->output_depth, op->activation_min, op->activation_max);
    input += op->input_depth;
    output += op->output_depth;
  }
}
