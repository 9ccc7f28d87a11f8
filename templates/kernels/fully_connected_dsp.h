/* SPDX-License-Identifier: 0BSD */
/* FULLY_CONNECTED, int8: output[rows][output_depth] = input[rows][input_depth] x weights^T. */
#ifndef EDGEKIT_FULLY_CONNECTED_DSP_H
#define EDGEKIT_FULLY_CONNECTED_DSP_H

#include "edgekit_types.h"

typedef struct {
  int32_t rows;
  int32_t input_depth;
  int32_t output_depth;
  const int32_t *weights;    /* words of four weights: [output_depth / 4][words][4 outputs], then
                                [words] for each output that is left; words = input_depth / 4,
                                rounded up */
  const int32_t *bias_multiplier_shift; /* for each four outputs: 4 biases (input zero point
                                folded in), 4 multipliers (Q31), 4 right shifts less one as the
                                bytes of a word; for each that is left: one of each */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} edgekit_fully_connected_dsp_t;

void edgekit_fully_connected_s8_dsp(const edgekit_fully_connected_dsp_t *op, const int8_t *input,
                                    int8_t *output);

#endif
