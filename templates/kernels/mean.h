/* SPDX-License-Identifier: 0BSD */
/* MEAN, int8, over any axes: two loops over what is kept, two over what is summed. */
#ifndef EDGEKIT_MEAN_H
#define EDGEKIT_MEAN_H

#include "edgekit_types.h"

typedef struct {
  int32_t kept_outer; /* loop lengths, and the input's strides along them */
  int32_t kept_outer_stride;
  int32_t kept_inner;
  int32_t kept_inner_stride;
  int32_t reduced_outer;
  int32_t reduced_outer_stride;
  int32_t reduced_inner;
  int32_t reduced_inner_stride;
  int32_t sum_offset; /* minus the input's zero point, times the elements summed */
  int32_t multiplier; /* Q31, 1 / elements summed is in it */
  int32_t shift;      /* positive is left */
  int32_t output_zero_point;
} edgekit_mean_t;

void edgekit_mean_s8(const edgekit_mean_t *op, const int8_t *input, int8_t *output);

#endif
