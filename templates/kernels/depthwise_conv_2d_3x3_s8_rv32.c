/* SPDX-License-Identifier: 0BSD */
#define DROPPED 23 /* bits of the product of a sum and its multiplier */

#include "edgekit_row_pairs.h"

#if EDGEKIT_RV32_ASSEMBLY

/* The pair in t0 onto the sums: t2 of pairs, t3 of their uppers; t4 is half a step of the upper
 * lane. */
#define TAKE_APART       \
  "add  t2, t2, t0   \n" \
  "add  t0, t0, t4   \n" \
  "srai t0, t0, 16   \n" \
  "add  t3, t3, t0   \n"
#define PRODUCT(word, weight)       \
  "lw   t1, " word "(a1)        \n" \
  "mul  t1, t1, " weight "      \n"
#define WIDE_COLUMN(c0, c1, c2, w0, w1, w2) \
  "lw   t0, " c0 "(a1)          \n"         \
  "mul  t0, t0, " w0 "          \n"         \
  PRODUCT(c1, w1) "add  t0, t0, t1 \n"      \
  PRODUCT(c2, w2) "add  t0, t0, t1 \n"      \
  TAKE_APART
#define PAIR(c0, c1, w0, w1)             \
  "lw   t0, " c0 "(a1)          \n"      \
  "mul  t0, t0, " w0 "          \n"      \
  PRODUCT(c1, w1) "add  t0, t0, t1 \n"   \
  TAKE_APART
/* a3 multiplier, a4 rounding, a5 shift. */
#define REQUANTIZE(sum)               \
  "slli t0, " sum ", 9            \n" \
  "mulh t0, t0, a3                \n" \
  "srai t1, " sum ", 31           \n" \
  "andi t1, t1, -256              \n" \
  "add  t1, t1, a4                \n" \
  "add  t0, t0, t1                \n" \
  "sra  t0, t0, a5                \n" \
  "bge  t5, t0, 3f                \n" \
  "mv   t0, t5                    \n" \
  "3:                             \n" \
  "bge  t0, t6, 3f                \n" \
  "mv   t0, t6                    \n" \
  "3:                             \n"
#define OUTPUTS                       \
  "slli t0, t3, 16                \n" \
  "sub  t2, t2, t0                \n" \
  REQUANTIZE("t3")                    \
  "add  t1, a6, s10               \n" \
  "sb   t0, 0(t1)                 \n" \
  REQUANTIZE("t2")                    \
  "sb   t0, 0(a6)                 \n" \
  "add  a6, a6, s11               \n" \
  "add  a1, a1, a7                \n"

EDGEKIT_NAKED static void multiply(
    const int32_t *channel __attribute__((unused)), const int32_t *columns __attribute__((unused)),
    const outputs_t *outputs __attribute__((unused))) {
  __asm__ volatile(
      "addi sp, sp, -48     \n"
      "sw   s0, 0(sp)       \n"
      "sw   s1, 4(sp)       \n"
      "sw   s2, 8(sp)       \n"
      "sw   s3, 12(sp)      \n"
      "sw   s4, 16(sp)      \n"
      "sw   s5, 20(sp)      \n"
      "sw   s6, 24(sp)      \n"
      "sw   s7, 28(sp)      \n"
      "sw   s8, 32(sp)      \n"
      "sw   s9, 36(sp)      \n"
      "sw   s10, 40(sp)     \n"
      "sw   s11, 44(sp)     \n"
      "lb   s0, 0(a0)       \n"
      "lb   s1, 1(a0)       \n"
      "lb   s2, 2(a0)       \n"
      "lb   s3, 4(a0)       \n"
      "lb   s4, 5(a0)       \n"
      "lb   s5, 6(a0)       \n"
      "lb   s6, 8(a0)       \n"
      "lb   s7, 9(a0)       \n"
      "lb   s8, 10(a0)      \n"
      "lw   s9, 12(a0)      \n" /* bias */
      "lw   a3, 16(a0)      \n"
      "lw   a4, 20(a0)      \n"
      "lw   a5, 24(a0)      \n"
      "lw   a6, 0(a2)       \n" /* first output */
      "lw   s10, 4(a2)      \n" /* to the second */
      "lw   s11, 8(a2)      \n" /* to the next pixel */
      "lw   a0, 12(a2)      \n" /* end of the columns */
      "lw   a7, 16(a2)      \n"
      "lw   a2, 20(a2)      \n"
      "addi a7, a7, 36      \n"
      "lui  t4, 8           \n"
      "li   t5, 127         \n"
      "li   t6, -128        \n"
      "beqz a2, 2f          \n"
      "1:                   \n"
      "slli t2, s9, 16      \n"
      "mv   t3, s9          \n"
      "add  t2, t2, s9      \n"
      WIDE_COLUMN("0", "4", "8", "s0", "s1", "s2")
      WIDE_COLUMN("12", "16", "20", "s3", "s4", "s5")
      WIDE_COLUMN("24", "28", "32", "s6", "s7", "s8")
      OUTPUTS
      "bne  a1, a0, 1b      \n"
      "j    4f              \n"
      "2:                   \n"
      "slli t2, s9, 16      \n"
      "mv   t3, s9          \n"
      "add  t2, t2, s9      \n"
      PAIR("0", "4", "s0", "s1")
      PAIR("8", "12", "s2", "s3")
      PAIR("16", "20", "s4", "s5")
      PAIR("24", "28", "s6", "s7")
      "lw   t0, 32(a1)      \n"
      "mul  t0, t0, s8      \n"
      TAKE_APART
      OUTPUTS
      "bne  a1, a0, 2b      \n"
      "4:                   \n"
      "lw   s0, 0(sp)       \n"
      "lw   s1, 4(sp)       \n"
      "lw   s2, 8(sp)       \n"
      "lw   s3, 12(sp)      \n"
      "lw   s4, 16(sp)      \n"
      "lw   s5, 20(sp)      \n"
      "lw   s6, 24(sp)      \n"
      "lw   s7, 28(sp)      \n"
      "lw   s8, 32(sp)      \n"
      "lw   s9, 36(sp)      \n"
      "lw   s10, 40(sp)     \n"
      "lw   s11, 44(sp)     \n"
      "addi sp, sp, 48      \n"
      "ret                  \n");
}

#endif

void edgekit_depthwise_conv_2d_3x3_s8_rv32(const edgekit_depthwise_conv_2d_3x3_pairs_t *op,
                                           const int8_t *input, int8_t *output, void *scratch) {
  convolve(op, input, output, scratch);
}
