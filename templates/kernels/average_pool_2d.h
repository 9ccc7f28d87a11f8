/* SPDX-License-Identifier: 0BSD */
/* AVERAGE_POOL_2D, int8, NHWC: only pixels inside the image count. */
#ifndef EDGEKIT_AVERAGE_POOL_2D_H
#define EDGEKIT_AVERAGE_POOL_2D_H

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
  int32_t activation_min;
  int32_t activation_max;
} edgekit_average_pool_2d_t;

void edgekit_average_pool_2d_s8(const edgekit_average_pool_2d_t *op, const int8_t *input,
                             int8_t *output);

/* With DSP instructions: input_depth is at least 4, at most 255 pixels lie under the window. */
void edgekit_average_pool_2d_s8_dsp(const edgekit_average_pool_2d_t *op, const int8_t *input,
                                    int8_t *output);

#endif
