/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "edgekit_patches.h"

/* Columns: for each block of four taps the even bytes as one word and the odd bytes as another,
 * for four pixels side by side: [block][even, odd][pixel].
 *
 * Weights, for each tile of two channels: 2 biases, 2 * blocks words of 2 x 2 weights, multiplier
 * of the first, both right shifts less one, multiplier of the second, both channels' numbers. */
#if EDGEKIT_DSP_ASSEMBLY

/* One word of weights, a0 b0 a1 b1: two taps of two channels, for four pixels. */
#define TWO_TAPS                   \
  "ldr    r2, [r0], #4        \n"  \
  "ldrd   r3, r12, [r1], #8   \n"  \
  "sxtb16 lr, r2, ror #8      \n"  \
  "sxtb16 r2, r2              \n"  \
  "smlad  r5, lr, r3, r5      \n"  \
  "smlad  r4, r2, r3, r4      \n"  \
  "smlad  r7, lr, r12, r7     \n"  \
  "smlad  r6, r2, r12, r6     \n"  \
  "ldrd   r3, r12, [r1], #8   \n"  \
  "smlad  r8, r2, r3, r8      \n"  \
  "smlad  r9, lr, r3, r9      \n"  \
  "smlad  r10, r2, r12, r10   \n"  \
  "smlad  r11, lr, r12, r11   \n"
#define FOUR_TAPS TWO_TAPS TWO_TAPS
#define FOUR_TAPS_SIZE "104"
/* r1 multiplier, r12 rounding, r3 right shift less one (in its lowest byte). */
#define REQUANTIZE(sum)                \
  "add    r2, r12, " sum ", asr #31\n" \
  "lsl    " sum ", #1              \n" \
  "smmlar " sum ", " sum ", r1, r2 \n" \
  "asr    " sum ", r3              \n" \
  "ssat   " sum ", #8, " sum ", asr #1\n"

EDGEKIT_NAKED static void tiles(
    const int32_t *weights __attribute__((unused)), const int32_t *patch __attribute__((unused)),
    int8_t *output __attribute__((unused)), const tile_t *tile __attribute__((unused))) {
  __asm__ volatile(
      "push   {r4-r11, lr}        \n"
      "sub    sp, #28             \n"
      "ldrd   r4, r5, [r3]        \n" /* tiles, blocks */
      "ldrd   r6, r7, [r3, #8]    \n" /* stride, offset */
      "add    r8, r1, r5, lsl #5  \n" /* end of the patch */
      "rsb    r5, r5, #0          \n"
      "and    r5, r5, #3          \n" /* blocks that the first round leaves out */
      "mov    r9, #" FOUR_TAPS_SIZE " \n"
      "mul    r5, r5, r9          \n"
      "adr    r9, 2f              \n"
      "add    r5, r5, r9          \n"
      "orr    r5, r5, #1          \n" /* Thumb */
      "strd   r1, r5, [sp]        \n"
      "strd   r8, r4, [sp, #8]    \n"
      "strd   r2, r6, [sp, #16]   \n"
      "str    r7, [sp, #24]       \n"
      "1:                         \n"
      "ldrd   r1, r2, [sp]        \n"
      "ldrd   r4, r5, [r0], #8    \n"
      "mov    r6, r4              \n"
      "mov    r7, r5              \n"
      "mov    r8, r4              \n"
      "mov    r9, r5              \n"
      "mov    r10, r4             \n"
      "mov    r11, r5             \n"
      "bx     r2                  \n"
      ".balign 4                  \n"
      "2:                         \n"
      FOUR_TAPS FOUR_TAPS FOUR_TAPS FOUR_TAPS
      "ldr    r2, [sp, #8]        \n"
      "cmp    r1, r2              \n"
      "bne    2b                  \n"
      "ldr    lr, [sp, #24]       \n"
      "ldrd   r1, r3, [r0], #8    \n"
      "lsl    r12, lr, r3         \n"
      REQUANTIZE("r4") REQUANTIZE("r6") REQUANTIZE("r8") REQUANTIZE("r10")
      "ldr    r1, [r0], #4        \n"
      "lsr    r3, r3, #16         \n"
      "lsl    r12, lr, r3         \n"
      REQUANTIZE("r5") REQUANTIZE("r7") REQUANTIZE("r9") REQUANTIZE("r11")
      "ldr    r3, [r0], #4        \n"
      "ldrd   r1, r2, [sp, #16]   \n"
      "uxtah  r12, r1, r3         \n"
      "uxtah  r3, r1, r3, ror #16 \n"
      "strb   r4, [r12]           \n"
      "strb   r5, [r3]            \n"
      "strb   r6, [r12, r2]       \n"
      "strb   r7, [r3, r2]        \n"
      "add    r12, r12, r2, lsl #1\n"
      "add    r3, r3, r2, lsl #1  \n"
      "strb   r8, [r12]           \n"
      "strb   r9, [r3]            \n"
      "strb   r10, [r12, r2]      \n"
      "strb   r11, [r3, r2]       \n"
      "ldr    r2, [sp, #12]       \n"
      "subs   r2, r2, #1          \n"
      "str    r2, [sp, #12]       \n"
      "bne    1b                  \n"
      "add    sp, #28             \n"
      "pop    {r4-r11, pc}        \n");
}

#else

static void tiles(const int32_t *weights, const int32_t *patch, int8_t *output,
                  const tile_t *tile) {
  for (int32_t pair = 0; pair < tile->tiles; pair++) {
    int32_t sum[2][PIXELS];
    for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
      sum[0][pixel] = weights[0];
      sum[1][pixel] = weights[1];
    }
    weights += 2;
    for (int32_t word = 0; word < 2 * tile->blocks; word++) {
      const int32_t a = edgekit_even_bytes((uint32_t)*weights);
      const int32_t b = edgekit_odd_bytes((uint32_t)*weights);
      for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
        const int32_t values = patch[word * PIXELS + pixel];
        sum[0][pixel] = edgekit_multiply_pair(a, values, sum[0][pixel]);
        sum[1][pixel] = edgekit_multiply_pair(b, values, sum[1][pixel]);
      }
      weights++;
    }
    const int32_t shifts = weights[1];
    int8_t *first = output + ((uint32_t)weights[3] & 0xffffU);
    int8_t *second = output + ((uint32_t)weights[3] >> 16);
    for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
      *first = edgekit_requantize_proven(sum[0][pixel], weights[0], edgekit_low(shifts),
                                         tile->offset);
      *second = edgekit_requantize_proven(sum[1][pixel], weights[2], edgekit_high(shifts),
                                          tile->offset);
      first += tile->stride;
      second += tile->stride;
    }
    weights += 4;
  }
}

#endif

/* The whole words of four patches into columns; returns the end of the columns. */
#if EDGEKIT_DSP_ASSEMBLY

EDGEKIT_NAKED static int32_t *expand_words(
    int32_t *columns __attribute__((unused)), const patches_t *patches __attribute__((unused))) {
  __asm__ volatile(
      "push   {r4-r11, lr}           \n"
      "ldrd   r4, r5, [r1, #32]      \n" /* rows, words */
      "push   {r1, r4, r5}           \n"
      "ldm    r1, {r1, r2, r3, r12}  \n"
      "1:                            \n"
      "ldr    lr, [sp, #8]           \n"
      "2:                            \n"
      "ldr    r4, [r1], #4           \n"
      "ldr    r5, [r2], #4           \n"
      "ldr    r6, [r3], #4           \n"
      "ldr    r7, [r12], #4          \n"
      "sxtb16 r8, r4                 \n"
      "sxtb16 r9, r5                 \n"
      "sxtb16 r10, r6                \n"
      "sxtb16 r11, r7                \n"
      "stm    r0!, {r8-r11}          \n"
      "sxtb16 r4, r4, ror #8         \n"
      "sxtb16 r5, r5, ror #8         \n"
      "sxtb16 r6, r6, ror #8         \n"
      "sxtb16 r7, r7, ror #8         \n"
      "subs   lr, lr, #1             \n"
      "stm    r0!, {r4-r7}           \n"
      "bne    2b                     \n"
      "ldrd   r8, r9, [sp]           \n"
      "add    r8, r8, #16            \n"
      "ldm    r8, {r4-r7}            \n"
      "add    r1, r1, r4             \n"
      "add    r2, r2, r5             \n"
      "add    r3, r3, r6             \n"
      "add    r12, r12, r7           \n"
      "subs   r9, r9, #1             \n"
      "str    r9, [sp, #4]           \n"
      "bne    1b                     \n"
      "add    sp, #12                \n"
      "pop    {r4-r11, pc}           \n");
}

#else

static int32_t *expand_words(int32_t *columns, const patches_t *patches) {
  for (int32_t row = 0; row < patches->rows; row++) {
    for (int32_t word = 0; word < patches->words; word++) {
      for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
        const int32_t stride = 4 * patches->words + patches->turn[pixel];
        const uint32_t bytes = edgekit_load4(patches->source[pixel] + row * stride + 4 * word);
        columns[pixel] = edgekit_even_bytes(bytes);
        columns[PIXELS + pixel] = edgekit_odd_bytes(bytes);
      }
      columns += BLOCK_WORDS;
    }
  }
  return columns;
}

#endif

/* What is left of each of a pixel's rows, packed, into its column. */
static void expand_rest(const patches_t *patches, int32_t pixel, int32_t count, int32_t *column) {
  const int8_t *source = patches->source[pixel] + 4 * patches->words;
  const int32_t turn = 4 * patches->words + patches->turn[pixel] - count;
  uint32_t rest = 0;
  int32_t room = 4;
  for (int32_t row = patches->rows; row > 0; row--) {
    for (int32_t i = count; i > 0; i--) {
      rest = rest >> 8 | (uint32_t)(uint8_t)*source++ << 24;
      if (--room == 0) {
        column[0] = edgekit_even_bytes(rest);
        column[PIXELS] = edgekit_odd_bytes(rest);
        column += BLOCK_WORDS;
        room = 4;
      }
    }
    source += turn;
  }
  if (room < 4) {
    rest >>= 8 * room;
    column[0] = edgekit_even_bytes(rest);
    column[PIXELS] = edgekit_odd_bytes(rest);
  }
}

/* The same for one byte a row, as RGB images and 3x3 filters have it. */
static void expand_rest_byte(const patches_t *patches, int32_t pixel, int32_t *column) {
  const int8_t *source = patches->source[pixel] + 4 * patches->words;
  const int32_t stride = 4 * patches->words + patches->turn[pixel];
  for (int32_t rows = patches->rows; rows > 0; rows -= 4) {
    int32_t second = 0;
    int32_t third = 0;
    int32_t fourth = 0;
    const int32_t first = *source;
    if (rows > 2) {
      second = source[stride];
      third = source[2 * stride];
      fourth = rows > 3 ? source[3 * stride] : 0;
    } else if (rows > 1) {
      second = source[stride];
    }
    column[0] = edgekit_pack_low(first, third);
    column[PIXELS] = edgekit_pack_low(second, fourth);
    column += BLOCK_WORDS;
    source += 4 * stride;
  }
}

static void expand(const edgekit_conv_2d_patches_t *op, const patches_t *patches,
                   int32_t *columns) {
  int32_t *const end = patches->words > 0 ? expand_words(columns, patches) : columns;
  if (op->run_rest == 1) {
    for (int32_t i = 0; i < PIXELS; i++) {
      expand_rest_byte(patches, i, end + i);
    }
  } else if (op->run_rest > 0) {
    for (int32_t i = 0; i < PIXELS; i++) {
      expand_rest(patches, i, op->run_rest, end + i);
    }
  }
}

void edgekit_conv_2d_s8_dsp(const edgekit_conv_2d_patches_t *op, const int8_t *input,
                            int8_t *output, void *scratch) {
  convolve(op, input, output, scratch);
}
