/* SPDX-License-Identifier: 0BSD */
#include "extremum.h"

static void extremum_row(const void *op, const int8_t *input1, const int8_t *input2,
                         int8_t *output) {
  /* Locals: a store through int8_t * could change what op points to. */
  const edgekit_extremum_t o = *(const edgekit_extremum_t *)op;
  const int32_t count = o.over.shape[o.over.rank - 1];
  const int32_t stride1 = o.over.input1_stride[o.over.rank - 1];
  const int32_t stride2 = o.over.input2_stride[o.over.rank - 1];
  for (int32_t i = 0; i < count; i++) {
    const bool is_first = o.is_maximum != 0 ? *input1 > *input2 : *input1 < *input2;
    *output++ = is_first ? *input1 : *input2;
    input1 += stride1;
    input2 += stride2;
  }
}

void edgekit_extremum_s8(const edgekit_extremum_t *op, const int8_t *input1, const int8_t *input2,
                         int8_t *output) {
  edgekit_broadcast(&op->over, extremum_row, op, input1, input2, output);
}
