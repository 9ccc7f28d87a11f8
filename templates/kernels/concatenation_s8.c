/* SPDX-License-Identifier: 0BSD */
#include "concatenation.h"

void edgekit_concatenation_s8(const edgekit_concatenation_t *op, const int8_t *input,
                              int8_t *output) {
  output += op->output_offset;
  for (int32_t row = 0; row < op->rows; row++) {
    for (int32_t i = 0; i < op->input_row; i++) {
      output[i] = input[i];
    }
    input += op->input_row;
    output += op->output_row;
  }
}
