/* SPDX-License-Identifier: 0BSD */
/* What lies around the data of PAD and SPACE_TO_BATCH_ND: output[count] = value. */
#ifndef EDGEKIT_FILL_H
#define EDGEKIT_FILL_H

#include "edgekit_types.h"

typedef struct {
  int32_t count;
  int32_t value;
} edgekit_fill_t;

void edgekit_fill_s8(const edgekit_fill_t *op, int8_t *output);

#endif
