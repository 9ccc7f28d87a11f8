/* SPDX-License-Identifier: 0BSD */
/* SOFTMAX, int8: output[rows][depth], scale 1/256, zero point -128. */
#ifndef EDGEKIT_SOFTMAX_H
#define EDGEKIT_SOFTMAX_H

#include "edgekit_types.h"

typedef struct {
  int32_t rows;
  int32_t depth;            /* below 4096 */
  const int32_t *exp_table; /* [256], exp(-i * beta * input scale), Q0.31 */
} edgekit_softmax_t;

/* The output may lie on the input. */
void edgekit_softmax_s8(const edgekit_softmax_t *op, const int8_t *input, int8_t *output);

#endif
