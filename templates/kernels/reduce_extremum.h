/* SPDX-License-Identifier: 0BSD */
/* REDUCE_MAX and REDUCE_MIN, int8, over any axes: two loops over what is kept, two over the rest. */
#ifndef EDGEKIT_REDUCE_EXTREMUM_H
#define EDGEKIT_REDUCE_EXTREMUM_H

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
  int32_t is_maximum; /* 0 or 1 */
} edgekit_reduce_extremum_t;

void edgekit_reduce_extremum_s8(const edgekit_reduce_extremum_t *op, const int8_t *input,
                                int8_t *output);

#endif
