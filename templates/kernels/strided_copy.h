/* SPDX-License-Identifier: 0BSD */
/* Bytes moved from one layout to another: transposing, slicing, splitting, joining. */
#ifndef EDGEKIT_STRIDED_COPY_H
#define EDGEKIT_STRIDED_COPY_H

#include "edgekit_types.h"

#define EDGEKIT_COPY_MAX_RANK 6

/* Several pieces may share the strides; each is a box of its own size at places of its own. */
typedef struct {
  int32_t rank; /* 1..6 */
  int32_t pieces;
  const int32_t *shape;         /* [pieces][rank] */
  const int32_t *start;         /* [pieces][2]: of the input, of the output */
  const int32_t *input_stride;  /* [rank], bytes; may be negative */
  const int32_t *output_stride; /* [rank] */
} edgekit_strided_copy_t;

/* Input and output may be one tensor where what is read and what is written do not overlap. */
void edgekit_strided_copy(const edgekit_strided_copy_t *op, const void *input, void *output);

#endif
