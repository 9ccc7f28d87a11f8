/* SPDX-License-Identifier: 0BSD */
/* DEQUANTIZE, int8 -> float32: output[count] = scale * (input - zero_point). */
#ifndef EDGEKIT_DEQUANTIZE_H
#define EDGEKIT_DEQUANTIZE_H

#include "edgekit_types.h"

typedef struct {
  int32_t count;
  int32_t scale_bits; /* the float32's bits */
  int32_t zero_point;
} edgekit_dequantize_t;

void edgekit_dequantize_s8(const edgekit_dequantize_t *op, const int8_t *input, float *output);

#endif
