/* SPDX-License-Identifier: 0BSD */
#include "arg_extremum.h"

static int32_t place_of_extremum(const edgekit_arg_extremum_t *op, const int8_t *input) {
  int32_t place = 0;
  int8_t found = *input;
  for (int32_t i = 1; i < op->length; i++) {
    input += op->inner;
    if (op->is_maximum != 0 ? *input > found : *input < found) {
      found = *input;
      place = i;
    }
  }
  return place;
}

void edgekit_arg_extremum_s8(const edgekit_arg_extremum_t *op, const int8_t *input,
                             int32_t *output) {
  for (int32_t outer = 0; outer < op->outer; outer++) {
    for (int32_t inner = 0; inner < op->inner; inner++) {
      *output++ = place_of_extremum(op, input + inner);
    }
    input += op->length * op->inner;
  }
}
