/* SPDX-License-Identifier: 0BSD */
/* CONV_2D with a 3x3 filter and stride 1, int8, NHWC, by Winograd's F(2x2, 3x3) in integers: 16
 * products for the 36 of four outputs, for weights of 16 halves instead of 9 bytes. */
#ifndef EDGEKIT_CONV_2D_WINOGRAD_DSP_H
#define EDGEKIT_CONV_2D_WINOGRAD_DSP_H

#include "edgekit_types.h"

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t input_depth;   /* a multiple of 16 */
  int32_t output_height; /* a multiple of 2 */
  int32_t output_width;  /* a multiple of 4 */
  int32_t output_depth;  /* a multiple of 4 */
  int32_t pad_height;    /* rows above the image */
  int32_t pad_width;     /* columns left of it */
  int32_t input_zero_point;
  const int32_t *weights; /* pairs of halves: [output_depth / 4][16][input_depth / 2][4 outputs];
                             the pairs of channels are 0 and 2, 1 and 3, 4 and 6, ... */
  const int32_t *bias;    /* [output_depth], doubled, input zero point folded in */
  const int32_t *multiplier; /* [output_depth], Q31 */
  const int8_t *right_shift; /* [output_depth], at least 1 */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_conv_2d_winograd_dsp_t;

/* scratch: 64 * input_depth bytes, then the larger of 512 and, where there is padding,
 * 24 * input_depth. */
void edgekit_conv_2d_winograd_s8_dsp(const edgekit_conv_2d_winograd_dsp_t *op,
                                     const int8_t *input, int8_t *output, void *scratch);

#endif
