/* SPDX-License-Identifier: 0BSD */
#include "max_pool_2d.h"
#include "edgekit_window.h"

/* The largest value of one channel over height x width pixels. */
static int32_t largest(const edgekit_max_pool_2d_t *op, const int8_t *input, int32_t height,
                       int32_t width) {
  int32_t result = INT8_MIN;
  for (int32_t row = 0; row < height; row++) {
    const int8_t *value = input;
    for (int32_t column = 0; column < width; column++) {
      result = *value > result ? *value : result;
      value += op->input_depth;
    }
    input += op->input_width * op->input_depth;
  }
  return result;
}

static void pixel(const edgekit_max_pool_2d_t *op, const int8_t *image, int32_t y, int32_t x,
                  int8_t *output) {
  const edgekit_taps_t rows = edgekit_taps(y, op->input_height, op->filter_height, 1);
  const edgekit_taps_t columns = edgekit_taps(x, op->input_width, op->filter_width, 1);
  const int32_t height = rows.end - rows.first;
  const int32_t width = columns.end - columns.first;
  const int8_t *input =
      image + ((y + rows.first) * op->input_width + x + columns.first) * op->input_depth;
  for (int32_t channel = 0; channel < op->input_depth; channel++) {
    const int32_t value = largest(op, input + channel, height, width);
    output[channel] = (int8_t)edgekit_clamp(value, op->activation_min, op->activation_max);
  }
}

static int8_t *batch(const edgekit_max_pool_2d_t *op, const int8_t *input, int8_t *output) {
  for (int32_t y = 0; y < op->output_height; y++) {
    const int32_t top = y * op->stride_height - op->pad_height;
    int32_t left = -op->pad_width;
    for (int32_t x = 0; x < op->output_width; x++) {
      pixel(op, input, top, left, output);
      output += op->input_depth;
      left += op->stride_width;
    }
  }
  return output;
}

void edgekit_max_pool_2d_s8(const edgekit_max_pool_2d_t *op, const int8_t *input,
                         int8_t *output) {
  for (int32_t i = 0; i < op->batches; i++) {
    output = batch(op, input, output);
    input += op->input_height * op->input_width * op->input_depth;
  }
}
