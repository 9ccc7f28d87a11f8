/* SPDX-License-Identifier: 0BSD */
/* ARG_MAX and ARG_MIN, int8: output[outer][inner] is where along input[outer][length][inner]. */
#ifndef EDGEKIT_ARG_EXTREMUM_H
#define EDGEKIT_ARG_EXTREMUM_H

#include "edgekit_types.h"

typedef struct {
  int32_t outer;
  int32_t length;
  int32_t inner;
  int32_t is_maximum; /* 0 or 1 */
} edgekit_arg_extremum_t;

/* The first of equal elements counts. */
void edgekit_arg_extremum_s8(const edgekit_arg_extremum_t *op, const int8_t *input,
                             int32_t *output);

#endif
