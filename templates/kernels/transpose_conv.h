/* SPDX-License-Identifier: 0BSD */
/* TRANSPOSE_CONV, int8, NHWC: each output pixel gathers the input pixels that spread over it. */
#ifndef EDGEKIT_TRANSPOSE_CONV_H
#define EDGEKIT_TRANSPOSE_CONV_H

#include "edgekit_types.h"

typedef struct {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t input_depth;
  int32_t output_height;
  int32_t output_width;
  int32_t output_depth;
  int32_t filter_height;
  int32_t filter_width;
  int32_t stride_height; /* of the output, from one input pixel to the next */
  int32_t stride_width;
  int32_t pad_height; /* rows of the first filter that lie before the output */
  int32_t pad_width;
  int32_t input_offset; /* minus the input's zero point */
  const int8_t *weights;     /* [output_depth][filter_height][filter_width][input_depth] */
  const int32_t *bias;       /* [output_depth] */
  const int32_t *multiplier; /* [output_depth], Q31 */
  const int8_t *shift;       /* [output_depth]; positive is left */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_transpose_conv_t;

void edgekit_transpose_conv_s8(const edgekit_transpose_conv_t *op, const int8_t *input,
                               int8_t *output);

#endif
