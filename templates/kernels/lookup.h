/* SPDX-License-Identifier: 0BSD */
/* Any function of one int8, by table: output[count] = table[input[count]]. */
#ifndef EDGEKIT_LOOKUP_H
#define EDGEKIT_LOOKUP_H

#include "edgekit_types.h"

typedef struct {
  int32_t count;
  const int8_t *table; /* [256], by value + 128 */
} edgekit_lookup_t;

/* The output may lie on the input. */
void edgekit_lookup_s8(const edgekit_lookup_t *op, const int8_t *input, int8_t *output);

#endif
