/* SPDX-License-Identifier: 0BSD */
/* CONCATENATION, one input's share: output[rows][output_offset + i] = input[rows][i]. */
#ifndef EDGEKIT_CONCATENATION_H
#define EDGEKIT_CONCATENATION_H

#include "edgekit_types.h"

typedef struct {
  int32_t rows;          /* product of the dimensions before the axis */
  int32_t input_row;     /* elements of the input per row */
  int32_t output_row;    /* elements of the output per row */
  int32_t output_offset; /* where in an output row the input begins */
} edgekit_concatenation_t;

void edgekit_concatenation_s8(const edgekit_concatenation_t *op, const int8_t *input,
                              int8_t *output);

#endif
