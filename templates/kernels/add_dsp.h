/* SPDX-License-Identifier: 0BSD */
/* ADD, int8: output[count] = input1[count] + input2[count]. */
#ifndef EDGEKIT_ADD_DSP_H
#define EDGEKIT_ADD_DSP_H

#include "edgekit_types.h"

/* Sums are in units of the larger input scale / 2^20, half of those of `add.h`. Input 1 is the one
 * with the larger scale, a step of which is 2^20 such units. */
typedef struct {
  int32_t count;
  const int32_t *input2_table; /* [256], by value + 128: input 2 rescaled, both zero points in */
  int32_t output_multiplier;   /* Q31, of half a sum */
  int32_t output_right_shift;  /* 1..31 */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_add_dsp_t;

/* The output may lie on an input. */
void edgekit_add_s8_dsp(const edgekit_add_dsp_t *op, const int8_t *input1, const int8_t *input2,
                        int8_t *output);

#endif
