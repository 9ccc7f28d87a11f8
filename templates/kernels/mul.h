/* SPDX-License-Identifier: 0BSD */
/* MUL, int8, broadcasting: output = input1 * input2. */
#ifndef EDGEKIT_MUL_H
#define EDGEKIT_MUL_H

#include "edgekit_broadcast.h"

typedef struct {
  edgekit_broadcast_t over;
  int32_t input1_zero_point;
  int32_t input2_zero_point;
  int32_t output_multiplier; /* Q31 */
  int32_t output_shift;      /* positive is left */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_mul_t;

/* The output may lie on an input of its own size. */
void edgekit_mul_s8(const edgekit_mul_t *op, const int8_t *input1, const int8_t *input2,
                    int8_t *output);

#endif
