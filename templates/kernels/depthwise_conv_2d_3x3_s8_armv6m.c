/* SPDX-License-Identifier: 0BSD */
#define DROPPED 22 /* bits of the product of a sum and its multiplier */

#include "edgekit_row_pairs.h"

#if EDGEKIT_THUMB_ASSEMBLY

/* Weights of a column in r2, of which the lowest byte is the next one; r0 columns. Pairs are added
 * to r6, their uppers to r7; r10 is half a step of the upper lane. */
#define TAKE_APART(pair)                    \
  "adds  r6, r6, " pair "               \n" \
  "add   " pair ", r10                  \n" \
  "asrs  " pair ", " pair ", #16        \n" \
  "adds  r7, r7, " pair "               \n"
#define COLUMN(weights)     \
  "ldr   r2, [sp, #" weights "] \n" \
  "ldm   r0!, {r3-r5}   \n" \
  "sxtb  r1, r2         \n" \
  "muls  r3, r1         \n" \
  "asrs  r2, r2, #8     \n" \
  "sxtb  r1, r2         \n" \
  "muls  r4, r1         \n" \
  "asrs  r2, r2, #8     \n" \
  "muls  r5, r2         \n" \
  "adds  r3, r3, r4     \n"
#define WIDE_COLUMN(weights) COLUMN(weights) "adds  r3, r3, r5 \n" TAKE_APART("r3")
#define NARROW_COLUMN(weights) COLUMN(weights) TAKE_APART("r3") TAKE_APART("r5")
/* The accumulator as an output; r3, r4, r5 are parts of the multiplier from the lowest one, r12
 * rounding. */
#define REQUANTIZE(sum)            \
  "movs  r1, " sum "           \n" \
  "muls  r1, r3                \n" \
  "asrs  r1, r1, #11           \n" \
  "movs  r2, " sum "           \n" \
  "muls  r2, r4                \n" \
  "adds  r1, r1, r2            \n" \
  "asrs  r1, r1, #11           \n" \
  "lsrs  r2, " sum ", #31      \n" \
  "lsls  r2, r2, #9            \n" \
  "muls  " sum ", r5           \n" \
  "adds  " sum ", " sum ", r1  \n" \
  "subs  " sum ", " sum ", r2  \n" \
  "add   " sum ", r12          \n" \
  "ldr   r2, [sp, #28]         \n" \
  "asrs  " sum ", r2           \n" \
  "sxtb  r1, " sum "           \n" \
  "cmp   r1, " sum "           \n" \
  "beq   9f                    \n" \
  "asrs  " sum ", " sum ", #31 \n" \
  "movs  r1, #127              \n" \
  "eors  " sum ", r1           \n" \
  "9:                          \n"
#define OUTPUTS                    \
  "lsls  r3, r7, #16           \n" \
  "subs  r6, r6, r3            \n" \
  "add   r1, sp, #16           \n" \
  "ldm   r1!, {r3-r5}          \n" \
  REQUANTIZE("r6")                 \
  REQUANTIZE("r7")                 \
  "mov   r1, r8                \n" \
  "ldr   r2, [sp, #32]         \n" \
  "strb  r7, [r1, r2]          \n" \
  "strb  r6, [r1]              \n" \
  "add   r8, r9                \n" \
  "add   r0, r11               \n" \
  "cmp   r0, lr                \n"
#define START                 \
  "ldr   r6, [sp, #36]    \n" \
  "ldr   r7, [sp, #12]    \n"

/* Stack: 0 three columns of weights, 12 bias, 16 parts of the multiplier, 28 shift, 32 to the
 * second output, 36 bias in both lanes. r8 output, r9 step, r11 turn, lr end of the columns. */
EDGEKIT_NAKED static void multiply(
    const int32_t *channel __attribute__((unused)), const int32_t *columns __attribute__((unused)),
    const outputs_t *outputs __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified        \n"
      "push  {r4-r7, lr}      \n"
      "mov   r4, r8           \n"
      "mov   r5, r9           \n"
      "mov   r6, r10          \n"
      "mov   r7, r11          \n"
      "push  {r4-r7}          \n"
      "sub   sp, #40          \n"
      "ldm   r2!, {r3-r7}     \n"
      "mov   r8, r3           \n"
      "str   r4, [sp, #32]    \n"
      "mov   r9, r5           \n"
      "mov   lr, r6           \n"
      "mov   r11, r7          \n"
      "ldr   r2, [r2]         \n" /* is_wide */
      "ldm   r0!, {r3-r7}     \n" /* weights, bias, multiplier */
      "str   r3, [sp]         \n"
      "str   r4, [sp, #4]     \n"
      "str   r5, [sp, #8]     \n"
      "str   r6, [sp, #12]    \n"
      "lsls  r5, r6, #16      \n"
      "adds  r5, r5, r6       \n"
      "str   r5, [sp, #36]    \n"
      "lsls  r3, r7, #21      \n"
      "lsrs  r3, r3, #21      \n"
      "str   r3, [sp, #16]    \n"
      "lsls  r3, r7, #10      \n"
      "lsrs  r3, r3, #21      \n"
      "str   r3, [sp, #20]    \n"
      "lsrs  r3, r7, #22      \n"
      "str   r3, [sp, #24]    \n"
      "ldm   r0!, {r3, r4}    \n" /* rounding, number and shift */
      "mov   r12, r3          \n"
      "str   r4, [sp, #28]    \n"
      "movs  r3, #128         \n"
      "lsls  r3, r3, #8       \n"
      "mov   r10, r3          \n"
      "mov   r0, r1           \n"
      "cmp   r2, #0           \n"
      "beq   2f               \n"
      "1:                     \n"
      START
      WIDE_COLUMN("0") WIDE_COLUMN("4") WIDE_COLUMN("8")
      OUTPUTS
      "bne   1b               \n"
      "b     4f               \n"
      "2:                     \n"
      START
      NARROW_COLUMN("0") NARROW_COLUMN("4") NARROW_COLUMN("8")
      OUTPUTS
      "bne   2b               \n"
      "4:                     \n"
      "add   sp, #40          \n"
      "pop   {r4-r7}          \n"
      "mov   r8, r4           \n"
      "mov   r9, r5           \n"
      "mov   r10, r6          \n"
      "mov   r11, r7          \n"
      "pop   {r4-r7, pc}      \n");
}

#endif

void edgekit_depthwise_conv_2d_3x3_s8_armv6m(const edgekit_depthwise_conv_2d_3x3_pairs_t *op,
                                             const int8_t *input, int8_t *output, void *scratch) {
  convolve(op, input, output, scratch);
}
