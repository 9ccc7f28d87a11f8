/* SPDX-License-Identifier: 0BSD */
/* QUANTIZE, float32 -> int8: output[count] = round(input / scale) + zero_point. */
#ifndef EDGEKIT_QUANTIZE_H
#define EDGEKIT_QUANTIZE_H

#include "edgekit_types.h"

typedef struct {
  int32_t count;
  int32_t scale_bits; /* the float32's bits */
  int32_t zero_point;
} edgekit_quantize_t;

/* Rounds half away from zero and saturates; NaN gives the zero point. */
void edgekit_quantize_f32(const edgekit_quantize_t *op, const float *input, int8_t *output);

#endif
