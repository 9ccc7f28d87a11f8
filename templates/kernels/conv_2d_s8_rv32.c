/* SPDX-License-Identifier: 0BSD */
#include "edgekit_swar.h"

#include "edgekit_pairs.h"

/* Weights: how many bits are dropped of the product of a sum and its multiplier; then for each tile
 * of four channels 4 biases; for each block of four taps 4 words of four weights, one a channel;
 * for each channel multiplier, rounding, number << 5 | shift. */
#define CHANNELS 4

#if EDGEKIT_RV32_ASSEMBLY

/* a0 weights, a1 columns. Two taps of a channel (weights at w0 and w1 of the block), four pixels;
 * sum_0, sum_1 are sums of pairs, upper_0, upper_1 those of their uppers. */
#define TWO_TAPS(w0, w1, sum_0, upper_0, sum_1, upper_1) \
  "lb   t0, " w0 "(a0)                     \n"           \
  "lb   t1, " w1 "(a0)                     \n"           \
  "mul  t2, t0, a4                         \n"           \
  "mul  t3, t1, a6                         \n"           \
  "mul  t0, t0, a5                         \n"           \
  "mul  t1, t1, a7                         \n"           \
  "add  t2, t2, t3                         \n"           \
  "add  " sum_0 ", " sum_0 ", t2           \n"           \
  "add  t2, t2, a3                         \n"           \
  "srai t2, t2, 16                         \n"           \
  "add  " upper_0 ", " upper_0 ", t2       \n"           \
  "add  t0, t0, t1                         \n"           \
  "add  " sum_1 ", " sum_1 ", t0           \n"           \
  "add  t0, t0, a3                         \n"           \
  "srai t0, t0, 16                         \n"           \
  "add  " upper_1 ", " upper_1 ", t0       \n"
#define COLUMNS(c0, c1, c2, c3) \
  "lw   a4, " c0 "(a1)    \n"   \
  "lw   a5, " c1 "(a1)    \n"   \
  "lw   a6, " c2 "(a1)    \n"   \
  "lw   a7, " c3 "(a1)    \n"
/* The bias into both lanes. */
#define START(offset, sum_0, upper_0, sum_1, upper_1) \
  "lw   " upper_0 ", " offset "(a0)        \n"        \
  "slli " sum_0 ", " upper_0 ", 16         \n"        \
  "add  " sum_0 ", " sum_0 ", " upper_0 "  \n"        \
  "mv   " sum_1 ", " sum_0 "               \n"        \
  "mv   " upper_1 ", " upper_0 "           \n"
/* a4 multiplier, a5 rounding, a6 shift in the lowest bits, a7 output, t1 its stride; a1 and a2 are
 * the largest and the smallest output; sums are shifted by a3 before they are multiplied, t2 is
 * then one in the integer that is rounded again, negative. */
#define REQUANTIZE(sum)               \
  "sll  t0, " sum ", a3           \n" \
  "mulh t0, t0, a4                \n" \
  "srai t3, " sum ", 31           \n" \
  "and  t3, t3, t2                \n" \
  "add  t0, t0, a5                \n" \
  "add  t0, t0, t3                \n" \
  "sra  t0, t0, a6                \n" \
  "ble  t0, a1, 3f                \n" \
  "mv   t0, a1                    \n" \
  "3:                             \n" \
  "bge  t0, a2, 3f                \n" \
  "mv   t0, a2                    \n" \
  "3:                             \n" \
  "sb   t0, 0(a7)                 \n"
#define CHANNEL(m, c, s, sum_0, upper_0, sum_1, upper_1) \
  "lw   a6, " s "(a0)                      \n"           \
  "lw   a7, 8(sp)                          \n"           \
  "lw   a4, " m "(a0)                      \n"           \
  "lw   a5, " c "(a0)                      \n"           \
  "srli t0, a6, 5                          \n"           \
  "add  a7, a7, t0                         \n"           \
  "slli t0, " upper_0 ", 16                \n"           \
  "sub  " sum_0 ", " sum_0 ", t0           \n"           \
  REQUANTIZE(sum_0)                                      \
  "add  a7, a7, t1                         \n"           \
  REQUANTIZE(upper_0)                                    \
  "slli t0, " upper_1 ", 16                \n"           \
  "sub  " sum_1 ", " sum_1 ", t0           \n"           \
  "add  a7, a7, t1                         \n"           \
  REQUANTIZE(sum_1)                                      \
  "add  a7, a7, t1                         \n"           \
  REQUANTIZE(upper_1)

EDGEKIT_NAKED static void tiles(
    const int32_t *weights __attribute__((unused)), const int32_t *columns __attribute__((unused)),
    int8_t *output __attribute__((unused)), const tile_t *tile __attribute__((unused))) {
  __asm__ volatile(
      "addi sp, sp, -80     \n"
      "sw   ra, 76(sp)      \n"
      "sw   s0, 72(sp)      \n"
      "sw   s1, 68(sp)      \n"
      "sw   s2, 64(sp)      \n"
      "sw   s3, 60(sp)      \n"
      "sw   s4, 56(sp)      \n"
      "sw   s5, 52(sp)      \n"
      "sw   s6, 48(sp)      \n"
      "sw   s7, 44(sp)      \n"
      "sw   s8, 40(sp)      \n"
      "sw   s9, 36(sp)      \n"
      "sw   s10, 32(sp)     \n"
      "sw   s11, 28(sp)     \n"
      "lw   t0, 0(a3)       \n" /* tiles */
      "lw   t1, 4(a3)       \n" /* blocks */
      "lw   t2, 8(a3)       \n" /* stride */
      "slli t1, t1, 5       \n"
      "add  t1, t1, a1      \n" /* end of the columns */
      "sw   a1, 0(sp)       \n"
      "sw   t1, 4(sp)       \n"
      "sw   a2, 8(sp)       \n"
      "sw   t2, 12(sp)      \n"
      "sw   t0, 16(sp)      \n"
      "lw   t0, 0(a0)       \n" /* bits that are dropped */
      "addi a0, a0, 4       \n"
      "li   t1, 32          \n"
      "sub  t1, t1, t0      \n"
      "sw   t1, 20(sp)      \n" /* 32 less them */
      "1:                   \n"
      "lw   a1, 0(sp)       \n"
      "lw   a2, 4(sp)       \n"
      "lui  a3, 8           \n" /* half a step of the upper lane */
      START("0", "s0", "s1", "s2", "s3")
      START("4", "s4", "s5", "s6", "s7")
      START("8", "s8", "s9", "s10", "s11")
      START("12", "t4", "t5", "t6", "ra")
      "addi a0, a0, 16      \n"
      "2:                   \n"
      COLUMNS("0", "4", "8", "12")
      TWO_TAPS("0", "1", "s0", "s1", "s2", "s3")
      TWO_TAPS("4", "5", "s4", "s5", "s6", "s7")
      TWO_TAPS("8", "9", "s8", "s9", "s10", "s11")
      TWO_TAPS("12", "13", "t4", "t5", "t6", "ra")
      COLUMNS("16", "20", "24", "28")
      TWO_TAPS("2", "3", "s0", "s1", "s2", "s3")
      TWO_TAPS("6", "7", "s4", "s5", "s6", "s7")
      TWO_TAPS("10", "11", "s8", "s9", "s10", "s11")
      TWO_TAPS("14", "15", "t4", "t5", "t6", "ra")
      "addi a1, a1, 32      \n"
      "addi a0, a0, 16      \n"
      "bne  a1, a2, 2b      \n"
      "lw   t1, 12(sp)      \n"
      "li   a1, 127         \n"
      "li   a2, -128        \n"
      "lw   a3, 20(sp)      \n"
      "li   t2, -1          \n"
      "sll  t2, t2, a3      \n"
      "srai t2, t2, 1       \n"
      CHANNEL("0", "4", "8", "s0", "s1", "s2", "s3")
      CHANNEL("12", "16", "20", "s4", "s5", "s6", "s7")
      CHANNEL("24", "28", "32", "s8", "s9", "s10", "s11")
      CHANNEL("36", "40", "44", "t4", "t5", "t6", "ra")
      "addi a0, a0, 48      \n"
      "lw   t0, 16(sp)      \n"
      "addi t0, t0, -1      \n"
      "sw   t0, 16(sp)      \n"
      "bnez t0, 1b          \n"
      "lw   ra, 76(sp)      \n"
      "lw   s0, 72(sp)      \n"
      "lw   s1, 68(sp)      \n"
      "lw   s2, 64(sp)      \n"
      "lw   s3, 60(sp)      \n"
      "lw   s4, 56(sp)      \n"
      "lw   s5, 52(sp)      \n"
      "lw   s6, 48(sp)      \n"
      "lw   s7, 44(sp)      \n"
      "lw   s8, 40(sp)      \n"
      "lw   s9, 36(sp)      \n"
      "lw   s10, 32(sp)     \n"
      "lw   s11, 28(sp)     \n"
      "addi sp, sp, 80      \n"
      "ret                  \n");
}

#else

/* Four taps of a channel for two pixels, taken apart after two of them. */
static void add_block(int32_t weights, const int32_t *columns, int32_t *sum, int32_t *upper) {
  for (int32_t tap = 0; tap < 4; tap += 2) {
    const int32_t first = (int8_t)((uint32_t)weights >> (8 * tap) & 255U);
    const int32_t second = (int8_t)((uint32_t)weights >> (8 * tap + 8) & 255U);
    const int32_t pair = edgekit_sum(edgekit_product(first, columns[2 * tap]),
                                     edgekit_product(second, columns[2 * tap + 2]));
    *sum = edgekit_sum(*sum, pair);
    *upper += edgekit_upper(pair);
  }
}

static void tiles(const int32_t *weights, const int32_t *columns, int8_t *output,
                  const tile_t *tile) {
  const int32_t dropped = *weights++;
  const int32_t words = CHANNELS * (1 + tile->blocks);
  for (int32_t i = 0; i < tile->tiles; i++) {
    for (int32_t channel = 0; channel < CHANNELS; channel++) {
      const int32_t *const last = weights + words + 3 * channel;
      int8_t *target = output + (last[2] >> 5);
      for (int32_t pixel = 0; pixel < PIXELS; pixel += 2) {
        int32_t upper = weights[channel];
        int32_t sum = edgekit_pair(upper, upper);
        for (int32_t block = 0; block < tile->blocks; block++) {
          add_block(weights[CHANNELS * (1 + block) + channel],
                    columns + BLOCK_WORDS * block + pixel / 2, &sum, &upper);
        }
        target[0] = edgekit_requantize_dropping(edgekit_lower_sum(sum, upper), last[0], dropped,
                                                last[1], last[2] & 31);
        target[tile->stride] = edgekit_requantize_dropping(upper, last[0], dropped, last[1],
                                                           last[2] & 31);
        target += 2 * tile->stride;
      }
    }
    weights += words + 3 * CHANNELS;
  }
}

#endif

void edgekit_conv_2d_s8_rv32(const edgekit_conv_2d_patches_t *op, const int8_t *input,
                             int8_t *output, void *scratch) {
  convolve(op, input, output, scratch);
}
