/* SPDX-License-Identifier: 0BSD */
#include "fill.h"

void edgekit_fill_s8(const edgekit_fill_t *op, int8_t *output) {
  const int8_t value = (int8_t)op->value;
  const int32_t count = op->count;
  for (int32_t i = 0; i < count; i++) {
    output[i] = value;
  }
}
