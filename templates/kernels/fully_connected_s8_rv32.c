/* SPDX-License-Identifier: 0BSD */
#include "edgekit_swar.h"

#include "fully_connected.h"

static int8_t output_of(const edgekit_fully_connected_t *op, int32_t out, int32_t sum) {
  const int32_t right = -op->shift[out];
  const int32_t rounding = (2 * op->output_zero_point + 1) * (1 << (right - 1));
  return edgekit_requantize_rounded(sum, op->multiplier[out], rounding, right);
}

#define OUTPUTS 8
#define ADDS_IN_ASSEMBLY EDGEKIT_RV32_ASSEMBLY

/* Adds the products of eight rows of weights, `depth` bytes apart, to sums. They share each input,
 * and 8 x 8 products a round leave little to the loop. */
#if ADDS_IN_ASSEMBLY

#define PRODUCT(tap, row, sum)     \
  "lb   t1, " tap "(" row ")  \n"  \
  "mul  t1, t1, t0            \n"  \
  "add  " sum ", " sum ", t1  \n"
#define TAP(tap)            \
  "lb   t0, " tap "(a1) \n" \
  PRODUCT(tap, "a0", "s0") PRODUCT(tap, "a4", "s1") PRODUCT(tap, "a5", "s2") \
  PRODUCT(tap, "a6", "s3") PRODUCT(tap, "a7", "s4") PRODUCT(tap, "t4", "s5") \
  PRODUCT(tap, "t5", "s6") PRODUCT(tap, "t6", "s7")
#define FORWARD(taps)            \
  "addi a1, a1, " taps "     \n" \
  "addi a0, a0, " taps "     \n" \
  "addi a4, a4, " taps "     \n" \
  "addi a5, a5, " taps "     \n" \
  "addi a6, a6, " taps "     \n" \
  "addi a7, a7, " taps "     \n" \
  "addi t4, t4, " taps "     \n" \
  "addi t5, t5, " taps "     \n" \
  "addi t6, t6, " taps "     \n"

EDGEKIT_NAKED static void add_products(
    const int8_t *weights __attribute__((unused)), const int8_t *input __attribute__((unused)),
    int32_t depth __attribute__((unused)), int32_t *sums __attribute__((unused))) {
  __asm__ volatile(
      "addi sp, sp, -32    \n"
      "sw   s0, 28(sp)     \n"
      "sw   s1, 24(sp)     \n"
      "sw   s2, 20(sp)     \n"
      "sw   s3, 16(sp)     \n"
      "sw   s4, 12(sp)     \n"
      "sw   s5, 8(sp)      \n"
      "sw   s6, 4(sp)      \n"
      "sw   s7, 0(sp)      \n"
      "add  a4, a0, a2     \n"
      "add  a5, a4, a2     \n"
      "add  a6, a5, a2     \n"
      "add  a7, a6, a2     \n"
      "add  t4, a7, a2     \n"
      "add  t5, t4, a2     \n"
      "add  t6, t5, a2     \n"
      "lw   s0, 0(a3)      \n"
      "lw   s1, 4(a3)      \n"
      "lw   s2, 8(a3)      \n"
      "lw   s3, 12(a3)     \n"
      "lw   s4, 16(a3)     \n"
      "lw   s5, 20(a3)     \n"
      "lw   s6, 24(a3)     \n"
      "lw   s7, 28(a3)     \n"
      "andi t2, a2, -8     \n"
      "add  a2, a2, a1     \n" /* end of the input */
      "add  t2, t2, a1     \n" /* end of its whole rounds */
      "beq  a1, t2, 2f     \n"
      "1:                  \n"
      TAP("0") TAP("1") TAP("2") TAP("3") TAP("4") TAP("5") TAP("6") TAP("7")
      FORWARD("8")
      "bne  a1, t2, 1b     \n"
      "2:                  \n"
      "beq  a1, a2, 4f     \n"
      "3:                  \n"
      TAP("0")
      FORWARD("1")
      "bne  a1, a2, 3b     \n"
      "4:                  \n"
      "sw   s0, 0(a3)      \n"
      "sw   s1, 4(a3)      \n"
      "sw   s2, 8(a3)      \n"
      "sw   s3, 12(a3)     \n"
      "sw   s4, 16(a3)     \n"
      "sw   s5, 20(a3)     \n"
      "sw   s6, 24(a3)     \n"
      "sw   s7, 28(a3)     \n"
      "lw   s0, 28(sp)     \n"
      "lw   s1, 24(sp)     \n"
      "lw   s2, 20(sp)     \n"
      "lw   s3, 16(sp)     \n"
      "lw   s4, 12(sp)     \n"
      "lw   s5, 8(sp)      \n"
      "lw   s6, 4(sp)      \n"
      "lw   s7, 0(sp)      \n"
      "addi sp, sp, 32     \n"
      "ret                 \n");
}

#endif

#include "edgekit_shared_inputs.h"

void edgekit_fully_connected_s8_rv32(const edgekit_fully_connected_t *op, const int8_t *input,
                                     int8_t *output) {
  for (int32_t i = 0; i < op->rows; i++) {
    row_outputs(op, input, output);
    edgekit_clamp_s8(output, op->output_depth, op->activation_min, op->activation_max);
    input += op->input_depth;
    output += op->output_depth;
  }
}
