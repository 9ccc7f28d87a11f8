/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "fully_connected_dsp.h"

#define OUTPUTS 4

typedef struct {
  int8_t *output;
  int32_t outputs;  /* a multiple of 4, not 0 */
  int32_t words;    /* whole ones of the input */
  int32_t has_rest; /* there is another one, filled up with anything */
  uint32_t rest;
  int32_t offset;   /* twice the output's zero point, plus 1 */
} row_t;

/* The outputs of a row of input, four at a time. */
#if EDGEKIT_DSP_ASSEMBLY

/* One word of input in r10, the four words of weights to r6-r9; sums in r2, r4, r5, r12. */
#define MULTIPLY                     \
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
#define FOUR_INPUTS "ldr    r10, [r1], #4          \n" MULTIPLY

/* r1 right shift less one in its lowest byte, r3 offset. */
#define REQUANTIZE(sum, multiplier)                 \
  "lsl    r10, r3, r1                           \n" \
  "add    r11, r10, " sum ", asr #31            \n" \
  "lsl    " sum ", " sum ", #1                  \n" \
  "smmlar " sum ", " sum ", " multiplier ", r11 \n" \
  "asr    " sum ", r1                           \n" \
  "ssat   " sum ", #8, " sum ", asr #1          \n"

/* Stack: 0 input, 4 its end, 8 output, 12 its end, 16 has_rest, 20 rest, 24 offset, 28 table. */
EDGEKIT_NAKED static const int32_t *fours(
    const int32_t *weights __attribute__((unused)), const int8_t *input __attribute__((unused)),
    const int32_t *table __attribute__((unused)), const row_t *row __attribute__((unused))) {
  __asm__ volatile(
      "push   {r4-r11, lr}           \n"
      "sub    sp, #36                \n"
      "ldm    r3, {r4-r9}            \n"
      "add    r6, r1, r6, lsl #2     \n"
      "add    r5, r5, r4             \n"
      "strd   r1, r6, [sp]           \n"
      "strd   r4, r5, [sp, #8]       \n"
      "strd   r7, r8, [sp, #16]      \n"
      "strd   r9, r2, [sp, #24]      \n"
      "1:                            \n"
      "ldr    r6, [sp, #28]          \n"
      "ldrd   r1, r3, [sp]           \n"
      "ldm    r6!, {r2, r4, r5, r12} \n"
      "str    r6, [sp, #28]          \n"
      "sub    r6, r3, r1             \n"
      "tst    r6, #4                 \n"
      "beq    2f                     \n"
      FOUR_INPUTS
      "sub    r6, r3, r1             \n"
      "2:                            \n"
      "tst    r6, #8                 \n"
      "beq    3f                     \n"
      FOUR_INPUTS FOUR_INPUTS
      "3:                            \n"
      "cmp    r1, r3                 \n"
      "beq    5f                     \n"
      "4:                            \n"
      FOUR_INPUTS FOUR_INPUTS FOUR_INPUTS FOUR_INPUTS
      "cmp    r1, r3                 \n"
      "bne    4b                     \n"
      "5:                            \n"
      "ldrd   r6, r10, [sp, #16]     \n"
      "cbz    r6, 6f                 \n"
      MULTIPLY
      "6:                            \n"
      "ldrd   r3, r10, [sp, #24]     \n"
      "ldm    r10!, {r6-r9}          \n"
      "ldr    r1, [r10], #4          \n"
      "str    r10, [sp, #28]         \n"
      REQUANTIZE("r2", "r6")
      "lsr    r1, r1, #8             \n"
      REQUANTIZE("r4", "r7")
      "lsr    r1, r1, #8             \n"
      REQUANTIZE("r5", "r8")
      "lsr    r1, r1, #8             \n"
      REQUANTIZE("r12", "r9")
      "ldrd   r6, r7, [sp, #8]       \n"
      "strb   r2, [r6]               \n"
      "strb   r4, [r6, #1]           \n"
      "strb   r5, [r6, #2]           \n"
      "strb   r12, [r6, #3]          \n"
      "add    r6, r6, #4             \n"
      "str    r6, [sp, #8]           \n"
      "cmp    r6, r7                 \n"
      "bne    1b                     \n"
      "add    sp, #36                \n"
      "pop    {r4-r11, pc}           \n");
}

#else

static void multiply(const int32_t *weights, uint32_t input, int32_t sums[OUTPUTS]) {
  const int32_t even = edgekit_even_bytes(input);
  const int32_t odd = edgekit_odd_bytes(input);
  for (int32_t i = 0; i < OUTPUTS; i++) {
    const uint32_t weight = (uint32_t)weights[i];
    sums[i] = edgekit_multiply_pair(edgekit_even_bytes(weight), even, sums[i]);
    sums[i] = edgekit_multiply_pair(edgekit_odd_bytes(weight), odd, sums[i]);
  }
}

static const int32_t *fours(const int32_t *weights, const int8_t *input, const int32_t *table,
                            const row_t *row) {
  for (int32_t out = 0; out < row->outputs; out += OUTPUTS) {
    int32_t sums[OUTPUTS] = {table[0], table[1], table[2], table[3]};
    for (int32_t word = 0; word < row->words; word++) {
      multiply(weights, edgekit_load4(input + 4 * word), sums);
      weights += OUTPUTS;
    }
    if (row->has_rest != 0) {
      multiply(weights, row->rest, sums);
      weights += OUTPUTS;
    }
    const uint32_t shifts = (uint32_t)table[8];
    for (int32_t i = 0; i < OUTPUTS; i++) {
      row->output[out + i] = edgekit_requantize_proven(
          sums[i], table[4 + i], (int32_t)(shifts >> (8 * i) & 255U), row->offset);
    }
    table += 9;
  }
  return weights;
}

#endif

/* sum + `words` words of input times weights. */
static int32_t add_words(const int32_t *weights, const int8_t *input, int32_t words, int32_t sum) {
  for (; words > 0; words--) {
    const uint32_t word = edgekit_load4(input);
    const uint32_t weight = (uint32_t)*weights++;
    sum = edgekit_multiply_pair(edgekit_even_bytes(weight), edgekit_even_bytes(word), sum);
    sum = edgekit_multiply_pair(edgekit_odd_bytes(weight), edgekit_odd_bytes(word), sum);
    input += 4;
  }
  return sum;
}

/* What is left of the input behind its last whole word, as one; the weights there are zero. */
static uint32_t load_rest(const int8_t *input, int32_t count) {
  uint32_t rest = 0;
  for (int32_t i = 0; i < count; i++) {
    rest |= (uint32_t)(uint8_t)input[i] << (8 * i);
  }
  return rest;
}

static void row_outputs(const edgekit_fully_connected_dsp_t *op, const int8_t *input,
                        int8_t *output) {
  const int32_t count = op->input_depth % 4;
  const row_t row = {output, op->output_depth / OUTPUTS * OUTPUTS, op->input_depth / 4, count,
                     load_rest(input + op->input_depth - count, count),
                     2 * op->output_zero_point + 1};
  const int32_t *weights = op->weights;
  const int32_t *table = op->bias_multiplier_shift;
  if (row.outputs > 0) {
    weights = fours(weights, input, table, &row);
    table += row.outputs / OUTPUTS * 9;
  }
  for (int32_t out = row.outputs; out < op->output_depth; out++) {
    int32_t sum = add_words(weights, input, row.words, table[0]);
    weights += row.words;
    if (row.has_rest != 0) {
      const uint32_t weight = (uint32_t)*weights++;
      sum = edgekit_multiply_pair(edgekit_even_bytes(weight), edgekit_even_bytes(row.rest), sum);
      sum = edgekit_multiply_pair(edgekit_odd_bytes(weight), edgekit_odd_bytes(row.rest), sum);
    }
    output[out] = edgekit_requantize_proven(sum, table[1], table[2], row.offset);
    table += 3;
  }
}

void edgekit_fully_connected_s8_dsp(const edgekit_fully_connected_dsp_t *op, const int8_t *input,
                                    int8_t *output) {
  for (int32_t i = 0; i < op->rows; i++) {
    row_outputs(op, input, output);
    edgekit_clamp_s8(output, op->output_depth, op->activation_min, op->activation_max);
    input += op->input_depth;
    output += op->output_depth;
  }
}
