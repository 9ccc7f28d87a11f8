/* SPDX-License-Identifier: 0BSD */
/* PRELU, int8, broadcasting: output = input where that is positive, else input * alpha. */
#ifndef EDGEKIT_PRELU_H
#define EDGEKIT_PRELU_H

#include "edgekit_broadcast.h"

typedef struct {
  edgekit_broadcast_t over;
  int32_t input_zero_point;
  int32_t alpha_zero_point;
  int32_t positive_multiplier; /* Q31, of the input */
  int32_t positive_shift;      /* positive is left */
  int32_t negative_multiplier; /* Q31, of input times alpha */
  int32_t negative_shift;
  int32_t output_zero_point;
} edgekit_prelu_t;

/* The output may lie on an input of its own size. */
void edgekit_prelu_s8(const edgekit_prelu_t *op, const int8_t *input, const int8_t *alpha,
                      int8_t *output);

#endif
