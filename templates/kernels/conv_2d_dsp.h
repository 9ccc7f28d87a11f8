/* SPDX-License-Identifier: 0BSD */
/* CONV_2D, int8, NHWC, without dilation: tiles of 2 channels x 4 pixels. */
#ifndef EDGEKIT_CONV_2D_DSP_H
#define EDGEKIT_CONV_2D_DSP_H

#include "edgekit_types.h"

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t input_depth;
  int32_t output_height;
  int32_t output_width; /* batches * output_height * output_width is at least 4 */
  int32_t filter_height;
  int32_t filter_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_height;   /* rows above the image */
  int32_t pad_width;    /* columns left of it */
  int32_t output_depth; /* at most 65536 */
  int32_t run_words;    /* filter_width * input_depth / 4 */
  int32_t run_rest;     /* and the remainder */
  int32_t blocks;       /* of four taps: a patch's words, and what is left of its rows packed */
  int32_t input_zero_point;
  int32_t pairs; /* of output channels that are computed */
  const int8_t *constants; /* [output_depth], the others' values; NULL where there are none */
  const int32_t *weights;  /* for each pair: 2 biases (input zero point folded in), 2 * blocks
                              words of 2 x 2 weights, multiplier of the first, both right shifts
                              less one, multiplier of the second, both channels' numbers */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_conv_2d_dsp_t;

/* scratch: 32 * blocks bytes; where there is padding 16 * blocks more, for four patches. */
void edgekit_conv_2d_s8_dsp(const edgekit_conv_2d_dsp_t *op, const int8_t *input, int8_t *output,
                            void *scratch);

#endif
