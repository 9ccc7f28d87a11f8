/* SPDX-License-Identifier: 0BSD */
/* DEPTHWISE_CONV_2D with a 3x3 filter, int8, NHWC: stride 1 or 2, one output channel per input
 * channel, no dilation. */
#ifndef EDGEKIT_DEPTHWISE_CONV_2D_3X3_DSP_H
#define EDGEKIT_DEPTHWISE_CONV_2D_3X3_DSP_H

#include "edgekit_types.h"

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t output_height;
  int32_t output_width; /* at least 2 */
  int32_t depth;        /* at least 4 */
  int32_t stride;       /* 1 or 2, along both axes */
  int32_t pad_height;   /* rows above the image */
  int32_t pad_width;    /* columns left of it */
  int32_t input_zero_point;
  const int8_t *weights;      /* [3][3][depth] */
  const int32_t *bias;        /* [depth], input zero point folded in */
  const int32_t *multiplier;  /* [depth], Q31 */
  const int8_t *right_shift;  /* [depth], at least 1 */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_depthwise_conv_2d_3x3_dsp_t;

/* scratch: 4 * (40 + 8 * width) bytes, width = (output_width - 1) * stride + 3. */
void edgekit_depthwise_conv_2d_3x3_s8_dsp(const edgekit_depthwise_conv_2d_3x3_dsp_t *op,
                                          const int8_t *input, int8_t *output, void *scratch);

#endif
