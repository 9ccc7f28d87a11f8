/* SPDX-License-Identifier: 0BSD */
/* What the kernels of FULLY_CONNECTED share in which several outputs share each input: the walk
 * over the outputs of a row. The including file has before it OUTPUTS, how many there are at once;
 * output_of(op, out, sum); ADDS_IN_ASSEMBLY, and where that is 1 add_products(). */
#ifndef EDGEKIT_SHARED_INPUTS_H
#define EDGEKIT_SHARED_INPUTS_H

#include "edgekit_swar.h"

#include "fully_connected.h"

#if !ADDS_IN_ASSEMBLY

/* Adds the products of OUTPUTS rows of weights, `depth` bytes apart, to sums. */
static void add_products(const int8_t *weights, const int8_t *input, int32_t depth,
                         int32_t *sums) {
  for (int32_t out = 0; out < OUTPUTS; out++) {
    for (int32_t i = 0; i < depth; i++) {
      sums[out] += *weights++ * input[i];
    }
  }
}

#endif

static void row_outputs(const edgekit_fully_connected_t *op, const int8_t *input,
                        int8_t *output) {
  const int32_t depth = op->input_depth;
  const int8_t *weights = op->weights;
  int32_t out = 0;
  for (; out + OUTPUTS <= op->output_depth; out += OUTPUTS) {
    int32_t sums[OUTPUTS];
    for (int32_t i = 0; i < OUTPUTS; i++) {
      sums[i] = op->bias[out + i];
    }
    add_products(weights, input, depth, sums);
    for (int32_t i = 0; i < OUTPUTS; i++) {
      output[out + i] = output_of(op, out + i, sums[i]);
    }
    weights += OUTPUTS * depth;
  }
  for (; out < op->output_depth; out++) {
    int32_t sum = op->bias[out];
    for (int32_t i = 0; i < depth; i++) {
      sum += *weights++ * input[i];
    }
    output[out] = output_of(op, out, sum);
  }
}

#endif
