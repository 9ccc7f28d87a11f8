/* SPDX-License-Identifier: 0BSD */
/* DEPTHWISE_CONV_2D, int8, NHWC: any stride, dilation, padding and depth multiplier. */
#ifndef EDGEKIT_DEPTHWISE_CONV_2D_H
#define EDGEKIT_DEPTHWISE_CONV_2D_H

#include "edgekit_types.h"

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t input_depth;
  int32_t output_height;
  int32_t output_width;
  int32_t filter_height;
  int32_t filter_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_height; /* rows above the image */
  int32_t pad_width;  /* columns left of it */
  int32_t dilation_height;
  int32_t dilation_width;
  int32_t depth_multiplier;  /* output_depth = input_depth * depth_multiplier */
  int32_t input_offset;      /* minus the input's zero point */
  const int8_t *weights;     /* [filter_height][filter_width][output_depth] */
  const int32_t *bias;       /* [output_depth] */
  const int32_t *multiplier; /* [output_depth], Q31 */
  const int8_t *shift;       /* [output_depth], positive is left */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_depthwise_conv_2d_t;

void edgekit_depthwise_conv_2d_s8(const edgekit_depthwise_conv_2d_t *op, const int8_t *input,
                                  int8_t *output);

/* With DSP instructions: depth_multiplier is 1, input_depth at least 4, every shift below 0. */
void edgekit_depthwise_conv_2d_s8_dsp(const edgekit_depthwise_conv_2d_t *op, const int8_t *input,
                                      int8_t *output);

#endif
