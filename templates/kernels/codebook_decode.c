/* SPDX-License-Identifier: 0BSD */
#include "codebook.h"

void edgekit_codebook_decode(const edgekit_codebook_t *op, void *scratch) {
  int8_t *output = (int8_t *)scratch + op->offset;
  const int8_t *const table = op->weights_table;
  const uint8_t *indices = op->weights_indices;
  const int32_t bits = op->bits;
  const uint32_t mask = (UINT32_C(1) << bits) - 1U;
  uint32_t window = 0; /* the next `held` bits of the indices */
  int32_t held = 0;
  for (int32_t i = 0; i < op->count; i++) {
    if (held < bits) {
      window |= (uint32_t)*indices++ << held;
      held += 8;
    }
    output[i] = table[window & mask];
    window >>= bits;
    held -= bits;
  }
}
