/* SPDX-License-Identifier: 0BSD */
/* RESIZE_BILINEAR, int8, NHWC: each output pixel between two rows and two columns of the input. */
#ifndef EDGEKIT_RESIZE_BILINEAR_H
#define EDGEKIT_RESIZE_BILINEAR_H

#include "edgekit_types.h"

typedef struct {
  int32_t batches;
  int32_t input_batch; /* elements */
  int32_t output_height;
  int32_t output_width;
  int32_t depth;
  const int32_t *rows;    /* [output_height][3]: where two rows start, weight of the second */
  const int32_t *columns; /* [output_width][3]; weights are in 1024ths */
} edgekit_resize_bilinear_t;

void edgekit_resize_bilinear_s8(const edgekit_resize_bilinear_t *op, const int8_t *input,
                                int8_t *output);

#endif
