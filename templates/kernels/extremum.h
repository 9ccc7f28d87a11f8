/* SPDX-License-Identifier: 0BSD */
/* MINIMUM and MAXIMUM, int8, broadcasting. */
#ifndef EDGEKIT_EXTREMUM_H
#define EDGEKIT_EXTREMUM_H

#include "edgekit_broadcast.h"

typedef struct {
  edgekit_broadcast_t over;
  int32_t is_maximum; /* 0 or 1 */
} edgekit_extremum_t;

/* The output may lie on an input of its own size. */
void edgekit_extremum_s8(const edgekit_extremum_t *op, const int8_t *input1, const int8_t *input2,
                         int8_t *output);

#endif
