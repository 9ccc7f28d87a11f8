/* SPDX-License-Identifier: 0BSD */
/* SQUARED_DIFFERENCE, int8, broadcasting: output = (input1 - input2)^2. */
#ifndef EDGEKIT_SQUARED_DIFFERENCE_H
#define EDGEKIT_SQUARED_DIFFERENCE_H

#include "edgekit_broadcast.h"

/* Tables are in units of twice the larger input scale / 2^7: a difference fits 16 bits. */
typedef struct {
  edgekit_broadcast_t over;
  const int16_t *input1_table; /* [256], by value + 128: the input rescaled, its zero point in */
  const int16_t *input2_table;
  int32_t output_multiplier; /* Q31 */
  int32_t output_shift;      /* at most 1; positive is left */
  int32_t output_zero_point;
} edgekit_squared_difference_t;

/* The output may lie on an input of its own size. */
void edgekit_squared_difference_s8(const edgekit_squared_difference_t *op, const int8_t *input1,
                                   const int8_t *input2, int8_t *output);

#endif
