/* SPDX-License-Identifier: 0BSD */
#include "edgekit_swar.h"

#include "fully_connected.h"

static int8_t output_of(const edgekit_fully_connected_t *op, int32_t out, int32_t sum) {
  return edgekit_requantize_by_bytes(sum, op->multiplier[out], -op->shift[out],
                                     2 * op->output_zero_point + 1);
}

#define OUTPUTS 4
#define ADDS_IN_ASSEMBLY EDGEKIT_THUMB_ASSEMBLY

/* Adds the products of four rows of weights, `depth` bytes apart, to sums. They share each input,
 * and the index of a tap. */
#if ADDS_IN_ASSEMBLY

#define PRODUCT(row, sum)      \
  "ldrsb r7, [" row ", r0] \n" \
  "muls  r7, r6            \n" \
  "add   " sum ", r7       \n"
#define TAP                    \
  "ldrsb r6, [r1, r0]      \n" \
  PRODUCT("r2", "r8") PRODUCT("r3", "r9") PRODUCT("r4", "r10") PRODUCT("r5", "r11") \
  "adds  r0, r0, #1        \n"

/* The index in r0 runs up to zero; r1 to r5 are the ends of the input and the rows. */
EDGEKIT_NAKED static void add_products(
    const int8_t *weights __attribute__((unused)), const int8_t *input __attribute__((unused)),
    int32_t depth __attribute__((unused)), int32_t *sums __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified        \n"
      "push  {r4-r7, lr}      \n"
      "mov   r4, r8           \n"
      "mov   r5, r9           \n"
      "mov   r6, r10          \n"
      "mov   r7, r11          \n"
      "push  {r3-r7}          \n"
      "ldm   r3!, {r4-r7}     \n"
      "mov   r8, r4           \n"
      "mov   r9, r5           \n"
      "mov   r10, r6          \n"
      "mov   r11, r7          \n"
      "adds  r6, r0, r2       \n"
      "adds  r1, r1, r2       \n"
      "adds  r3, r6, r2       \n"
      "adds  r4, r3, r2       \n"
      "adds  r5, r4, r2       \n"
      "rsbs  r0, r2, #0       \n"
      "mov   r2, r6           \n"
      "1:                     \n" /* taps until whole rounds are left */
      "lsls  r6, r0, #30      \n"
      "beq   2f               \n"
      TAP
      "b     1b               \n"
      "2:                     \n"
      "cmp   r0, #0           \n"
      "beq   4f               \n"
      "3:                     \n"
      TAP TAP TAP TAP
      "bne   3b               \n"
      "4:                     \n"
      "mov   r4, r8           \n"
      "mov   r5, r9           \n"
      "mov   r6, r10          \n"
      "mov   r7, r11          \n"
      "pop   {r3}             \n"
      "stm   r3!, {r4-r7}     \n"
      "pop   {r4-r7}          \n"
      "mov   r8, r4           \n"
      "mov   r9, r5           \n"
      "mov   r10, r6          \n"
      "mov   r11, r7          \n"
      "pop   {r4-r7, pc}      \n");
}

#endif

#include "edgekit_shared_inputs.h"

void edgekit_fully_connected_s8_armv6m(const edgekit_fully_connected_t *op, const int8_t *input,
                                       int8_t *output) {
  for (int32_t i = 0; i < op->rows; i++) {
    row_outputs(op, input, output);
    edgekit_clamp_s8(output, op->output_depth, op->activation_min, op->activation_max);
    input += op->input_depth;
    output += op->output_depth;
  }
}
