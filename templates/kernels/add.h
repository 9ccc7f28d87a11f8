/* SPDX-License-Identifier: 0BSD */
/* ADD and SUB, int8, broadcasting: output = input1 + input2, or a difference of them. */
#ifndef EDGEKIT_ADD_H
#define EDGEKIT_ADD_H

#include "edgekit_broadcast.h"

/* Sums are in units of twice the larger input scale / 2^20. Input 1 is the one with the larger
 * scale, a step of which is 2^19 such units. */
typedef struct {
  edgekit_broadcast_t over;
  int32_t input1_step;          /* 2^19, or -2^19 where input 1 is subtracted */
  const int32_t *input2_table;  /* [256], by value + 128: input 2 rescaled, both zero points in */
  int32_t output_multiplier;    /* Q31 */
  int32_t output_right_shift;   /* 0..31 */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_add_t;

/* The output may lie on an input of its own size. */
void edgekit_add_s8(const edgekit_add_t *op, const int8_t *input1, const int8_t *input2,
                    int8_t *output);

#endif
