/* SPDX-License-Identifier: 0BSD */
#include "gather.h"

static int8_t *gather_row(const edgekit_gather_t *op, const int8_t *input, int8_t *output) {
  const int32_t chunk = op->chunk;
  for (int32_t column = 0; column < op->columns; column++) {
    const int8_t *const from = input + op->column_start[column];
    for (int32_t i = 0; i < chunk; i++) {
      output[i] = from[i];
    }
    output += chunk;
  }
  return output;
}

void edgekit_gather_s8(const edgekit_gather_t *op, const int8_t *input, int8_t *output) {
  for (int32_t plane = 0; plane < op->planes; plane++) {
    for (int32_t row = 0; row < op->rows; row++) {
      output = gather_row(op, input + op->row_start[row], output);
    }
    input += op->input_plane;
  }
}
