/* SPDX-License-Identifier: 0BSD */
/* DEPTHWISE_CONV_2D with a 3x3 filter, int8, NHWC: stride 1 or 2, one output channel per input
 * channel, no dilation. A channel's pixels of two rows share a word. */
#ifndef EDGEKIT_DEPTHWISE_CONV_2D_3X3_PAIRS_H
#define EDGEKIT_DEPTHWISE_CONV_2D_3X3_PAIRS_H

#include "edgekit_types.h"

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t output_height;
  int32_t output_width;
  int32_t depth;
  int32_t stride;     /* 1 or 2, along both axes */
  int32_t pad_height; /* rows above the image */
  int32_t pad_width;  /* columns left of it */
  int32_t input_zero_point;
  int32_t constant_channels; /* whose outputs are the same for every input */
  int32_t wide_channels;     /* that add three taps before they are taken apart */
  int32_t narrow_channels;   /* that add two */
  int32_t slow_channels;     /* that add two and whose sums need all 64 bits of a product */
  const int32_t *constants;  /* [constant_channels], number << 8 | value as uint8 */
  const int32_t *weights;    /* for each of these channels in this order: three columns of weights,
                                each in the bytes of a word, the last one with its sign; bias
                                (input zero point folded in), multiplier, rounding,
                                number << 8 | shift */
  int32_t activation_min;
  int32_t activation_max;
} edgekit_depthwise_conv_2d_3x3_pairs_t;

/* scratch: 24 * width bytes, width = (output_width - 1) * stride + 3. */
void edgekit_depthwise_conv_2d_3x3_s8_rv32(const edgekit_depthwise_conv_2d_3x3_pairs_t *op,
                                           const int8_t *input, int8_t *output, void *scratch);
void edgekit_depthwise_conv_2d_3x3_s8_armv6m(const edgekit_depthwise_conv_2d_3x3_pairs_t *op,
                                             const int8_t *input, int8_t *output, void *scratch);

#endif
