/* SPDX-License-Identifier: 0BSD */
#include "reduce_extremum.h"

static int8_t extremum_from(const edgekit_reduce_extremum_t *op, const int8_t *input) {
  int8_t found = *input;
  for (int32_t outer = 0; outer < op->reduced_outer; outer++) {
    const int8_t *value = input;
    for (int32_t inner = 0; inner < op->reduced_inner; inner++) {
      const bool is_better = op->is_maximum != 0 ? *value > found : *value < found;
      found = is_better ? *value : found;
      value += op->reduced_inner_stride;
    }
    input += op->reduced_outer_stride;
  }
  return found;
}

void edgekit_reduce_extremum_s8(const edgekit_reduce_extremum_t *op, const int8_t *input,
                                int8_t *output) {
  for (int32_t outer = 0; outer < op->kept_outer; outer++) {
    const int8_t *first = input;
    for (int32_t inner = 0; inner < op->kept_inner; inner++) {
      *output++ = extremum_from(op, first);
      first += op->kept_inner_stride;
    }
    input += op->kept_outer_stride;
  }
}
