/* SPDX-License-Identifier: 0BSD */
#include "lookup.h"

void edgekit_lookup_s8(const edgekit_lookup_t *op, const int8_t *input, int8_t *output) {
  const int8_t *const zero = op->table + 128;
  const int32_t count = op->count;
  for (int32_t i = 0; i < count; i++) {
    output[i] = zero[input[i]];
  }
}
