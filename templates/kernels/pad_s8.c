/* SPDX-License-Identifier: 0BSD */
#include "pad.h"

typedef struct {
  const int8_t *input;
  int8_t *output;
} cursor_t;

static void fill(cursor_t *cursor, int8_t value, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    *cursor->output++ = value;
  }
}

static void copy(cursor_t *cursor, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    *cursor->output++ = *cursor->input++;
  }
}

/* Elements of one entry of `axis` in the output. */
static int32_t entry_size(const edgekit_pad_t *op, int32_t axis) {
  int32_t size = 1;
  for (int32_t i = axis + 1; i < 4; i++) {
    size *= op->before[i] + op->input_shape[i] + op->after[i];
  }
  return size;
}

static void row(const edgekit_pad_t *op, cursor_t *cursor) {
  fill(cursor, (int8_t)op->value, op->before[3]);
  copy(cursor, op->input_shape[3]);
  fill(cursor, (int8_t)op->value, op->after[3]);
}

static void plane(const edgekit_pad_t *op, cursor_t *cursor) {
  const int32_t size = entry_size(op, 2);
  fill(cursor, (int8_t)op->value, op->before[2] * size);
  for (int32_t i = 0; i < op->input_shape[2]; i++) {
    row(op, cursor);
  }
  fill(cursor, (int8_t)op->value, op->after[2] * size);
}

static void volume(const edgekit_pad_t *op, cursor_t *cursor) {
  const int32_t size = entry_size(op, 1);
  fill(cursor, (int8_t)op->value, op->before[1] * size);
  for (int32_t i = 0; i < op->input_shape[1]; i++) {
    plane(op, cursor);
  }
  fill(cursor, (int8_t)op->value, op->after[1] * size);
}

void edgekit_pad_s8(const edgekit_pad_t *op, const int8_t *input, int8_t *output) {
  cursor_t cursor = {input, output};
  const int32_t size = entry_size(op, 0);
  fill(&cursor, (int8_t)op->value, op->before[0] * size);
  for (int32_t i = 0; i < op->input_shape[0]; i++) {
    volume(op, &cursor);
  }
  fill(&cursor, (int8_t)op->value, op->after[0] * size);
}
