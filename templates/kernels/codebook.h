/* SPDX-License-Identifier: 0BSD */
/* Codebook weights: `count` indices of `bits` bits each into a table of int8 values. */
#ifndef EDGEKIT_CODEBOOK_H
#define EDGEKIT_CODEBOOK_H

#include "edgekit_types.h"

typedef struct {
  int32_t count;
  int32_t bits;   /* 1 to 7 */
  int32_t offset; /* bytes into the scratch, where the values go */
  const int8_t *weights_table;
  const uint8_t *weights_indices; /* the first index in the lowest bits of the first byte */
} edgekit_codebook_t;

void edgekit_codebook_decode(const edgekit_codebook_t *op, void *scratch);

#endif
