/* SPDX-License-Identifier: 0BSD */
#include "strided_copy.h"

static void copy_row(int32_t count, const uint8_t *input, int32_t input_stride, uint8_t *output,
                     int32_t output_stride) {
  if (input_stride == 1 && output_stride == 1) {
    for (int32_t i = 0; i < count; i++) {
      output[i] = input[i];
    }
    return;
  }
  int32_t from = 0;
  int32_t to = 0;
  for (int32_t i = 0; i < count; i++) {
    output[to] = input[from];
    from += input_stride;
    to += output_stride;
  }
}

static void copy_piece(const edgekit_strided_copy_t *op, const int32_t *shape, int32_t from,
                       int32_t to, const uint8_t *input, uint8_t *output) {
  const int32_t last = op->rank - 1;
  int32_t index[EDGEKIT_COPY_MAX_RANK] = {0};
  int32_t axis;
  do {
    copy_row(shape[last], input + from, op->input_stride[last], output + to,
             op->output_stride[last]);
    /* The next row: the innermost outer axis that does not end here moves on. */
    for (axis = last - 1; axis >= 0; axis--) {
      from += op->input_stride[axis];
      to += op->output_stride[axis];
      index[axis]++;
      if (index[axis] < shape[axis]) {
        break;
      }
      index[axis] = 0;
      from -= shape[axis] * op->input_stride[axis];
      to -= shape[axis] * op->output_stride[axis];
    }
  } while (axis >= 0);
}

void edgekit_strided_copy(const edgekit_strided_copy_t *op, const void *input, void *output) {
  const uint8_t *const from = (const uint8_t *)input;
  uint8_t *const to = (uint8_t *)output;
  for (int32_t piece = 0; piece < op->pieces; piece++) {
    copy_piece(op, op->shape + piece * op->rank, op->start[2 * piece], op->start[2 * piece + 1],
               from, to);
  }
}
