/* SPDX-License-Identifier: 0BSD */
#include "concatenation.h"

void edgekit_concatenation_s8(const edgekit_concatenation_t *op, const int8_t *input,
                              int8_t *output) {
  const edgekit_concatenation_t o = *op;
  output += o.output_offset;
  for (int32_t row = 0; row < o.rows; row++) {
    for (int32_t i = 0; i < o.input_row; i++) {
      output[i] = input[i];
    }
    input += o.input_row;
    output += o.output_row;
  }
}
