/* SPDX-License-Identifier: 0BSD */
/* Two inputs broadcast to one output, row by row: each kernel brings its row. */
#ifndef EDGEKIT_BROADCAST_H
#define EDGEKIT_BROADCAST_H

#include "edgekit_types.h"

#define EDGEKIT_MAX_RANK 6

/* Dimensions of the output and the inputs' strides, in elements; 0 along a broadcast dimension. */
typedef struct {
  int32_t rank; /* 1..6 */
  const int32_t *shape;
  const int32_t *input1_stride;
  const int32_t *input2_stride;
} edgekit_broadcast_t;

/* The innermost dimension of one place of the others: shape[rank - 1] outputs. */
typedef void edgekit_broadcast_row_t(const void *op, const int8_t *input1, const int8_t *input2,
                                     int8_t *output);

static inline void edgekit_broadcast(const edgekit_broadcast_t *over, edgekit_broadcast_row_t *row,
                                     const void *op, const int8_t *input1, const int8_t *input2,
                                     int8_t *output) {
  const int32_t last = over->rank - 1;
  int32_t index[EDGEKIT_MAX_RANK] = {0};
  int32_t at1 = 0;
  int32_t at2 = 0;
  int32_t axis;
  do {
    row(op, input1 + at1, input2 + at2, output);
    output += over->shape[last];
    /* The next place: the innermost outer axis that does not end here moves on. */
    for (axis = last - 1; axis >= 0; axis--) {
      const int32_t size = over->shape[axis];
      at1 += over->input1_stride[axis];
      at2 += over->input2_stride[axis];
      index[axis]++;
      if (index[axis] < size) {
        break;
      }
      index[axis] = 0;
      at1 -= size * over->input1_stride[axis];
      at2 -= size * over->input2_stride[axis];
    }
  } while (axis >= 0);
}

#endif
