/* SPDX-License-Identifier: 0BSD */
/* CONV_2D with a 1x1 filter, int8: output[pixels][output_depth] = input x weights^T. */
#ifndef EDGEKIT_CONV_2D_1X1_H
#define EDGEKIT_CONV_2D_1X1_H

#include "edgekit_types.h"

typedef struct {
  int32_t pixels;
  int32_t input_depth;
  int32_t output_depth;
  const int8_t *weights;     /* [output_depth][input_depth] */
  const int32_t *bias;       /* [output_depth], input zero point folded in */
  const int32_t *multiplier; /* [output_depth], Q31 */
  const int8_t *shift;       /* [output_depth], positive is left */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_conv_2d_1x1_t;

void edgekit_conv_2d_1x1_s8(const edgekit_conv_2d_1x1_t *op, const int8_t *input, int8_t *output);

#endif
