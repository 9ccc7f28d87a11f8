/* SPDX-License-Identifier: 0BSD */
/* CONV_2D, int8, NHWC, without dilation: the patches of four output pixels are expanded once for
 * all channels, then each tile of channels is computed for these four. */
#ifndef EDGEKIT_CONV_2D_PATCHES_H
#define EDGEKIT_CONV_2D_PATCHES_H

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
  int32_t blocks;       /* of four taps of a patch, the last one filled up */
  int32_t input_zero_point;
  int32_t tiles; /* of output channels that are computed */
  const int8_t *constants; /* [output_depth], the others' values; NULL where there are none */
  const int32_t *weights;  /* for each tile, as the kernel wants them; input zero point folded in */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_conv_2d_patches_t;

/* scratch: 32 * blocks bytes; where there is padding 16 * blocks more, for four patches. */
void edgekit_conv_2d_s8_dsp(const edgekit_conv_2d_patches_t *op, const int8_t *input,
                            int8_t *output, void *scratch);
void edgekit_conv_2d_s8_rv32(const edgekit_conv_2d_patches_t *op, const int8_t *input,
                             int8_t *output, void *scratch);
void edgekit_conv_2d_s8_armv6m(const edgekit_conv_2d_patches_t *op, const int8_t *input,
                               int8_t *output, void *scratch);

#endif
