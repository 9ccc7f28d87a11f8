/* SPDX-License-Identifier: 0BSD */
/* PAD, int8, four axes: the input with `before` and `after` elements of `value` around it. */
#ifndef EDGEKIT_PAD_H
#define EDGEKIT_PAD_H

#include "edgekit_types.h"

typedef struct {
  const int32_t *input_shape; /* [4] */
  const int32_t *before;      /* [4] */
  const int32_t *after;       /* [4] */
  int32_t value;
} edgekit_pad_t;

void edgekit_pad_s8(const edgekit_pad_t *op, const int8_t *input, int8_t *output);

#endif
