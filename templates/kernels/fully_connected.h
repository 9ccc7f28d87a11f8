/* SPDX-License-Identifier: 0BSD */
/* FULLY_CONNECTED, int8: output[rows][output_depth] = input[rows][input_depth] x weights^T. */
#ifndef EDGEKIT_FULLY_CONNECTED_H
#define EDGEKIT_FULLY_CONNECTED_H

#include "edgekit_types.h"

typedef struct {
  int32_t rows;
  int32_t input_depth;
  int32_t output_depth;
  const int8_t *weights;     /* [output_depth][input_depth] */
  const int32_t *bias;       /* [output_depth], input zero point folded in */
  const int32_t *multiplier; /* [output_depth], Q31 */
  const int8_t *shift;       /* [output_depth], positive is left */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_fully_connected_t;

void edgekit_fully_connected_s8(const edgekit_fully_connected_t *op, const int8_t *input,
                                int8_t *output);

/* The same, with the conditions that edgekit proves: shift is -1 or less, |sum| below 2^30; for
 * Armv6-M below 2^23, and room for the rounding in 30 bits. */
void edgekit_fully_connected_s8_rv32(const edgekit_fully_connected_t *op, const int8_t *input,
                                     int8_t *output);
void edgekit_fully_connected_s8_armv6m(const edgekit_fully_connected_t *op, const int8_t *input,
                                       int8_t *output);

#endif
