/* SPDX-License-Identifier: 0BSD */
/* GATHER and RESIZE_NEAREST_NEIGHBOR: chunks of the input by tables of where they begin. */
#ifndef EDGEKIT_GATHER_H
#define EDGEKIT_GATHER_H

#include "edgekit_types.h"

typedef struct {
  int32_t planes;
  int32_t input_plane; /* elements from one plane of the input to the next */
  int32_t rows;
  const int32_t *row_start; /* [rows], elements from the plane's start */
  int32_t columns;
  const int32_t *column_start; /* [columns], elements from the row's start */
  int32_t chunk;               /* elements */
} edgekit_gather_t;

/* output[planes][rows][columns][chunk] */
void edgekit_gather_s8(const edgekit_gather_t *op, const int8_t *input, int8_t *output);

#endif
