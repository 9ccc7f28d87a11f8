/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "average_pool_2d.h"
#include "edgekit_window.h"

#define CHANNELS 4

typedef struct {
  int32_t height;
  int32_t width;
  int32_t row_turn; /* from behind the last pixel of a row to the first of the next, bytes */
  int32_t depth;
} window_t;

static int8_t mean(const edgekit_average_pool_2d_t *op, int32_t sum, int32_t count) {
  /* Half away from zero. */
  const int32_t value = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
  return (int8_t)edgekit_clamp(value, op->activation_min, op->activation_max);
}

/* Four channels under the window. */
static void four_means(const edgekit_average_pool_2d_t *op, const window_t *window,
                       const int8_t *input, int8_t *output) {
  const int32_t count = window->height * window->width;
  int32_t even = 0;
  int32_t odd = 0;
  for (int32_t row = window->height; row > 0; row--) {
    for (int32_t column = window->width; column > 0; column--) {
      const uint32_t bytes = edgekit_load4(input);
      even = edgekit_add_even_bytes(even, bytes);
      odd = edgekit_add_odd_bytes(odd, bytes);
      input += window->depth;
    }
    input += window->row_turn;
  }
  output[0] = mean(op, edgekit_low(even), count);
  output[1] = mean(op, edgekit_low(odd), count);
  output[2] = mean(op, edgekit_high(even), count);
  output[3] = mean(op, edgekit_high(odd), count);
}

static void pixel(const edgekit_average_pool_2d_t *op, const int8_t *image, int32_t y, int32_t x,
                  int8_t *output) {
  const int32_t depth = op->input_depth;
  const edgekit_taps_t rows = edgekit_taps(y, op->input_height, op->filter_height, 1);
  const edgekit_taps_t columns = edgekit_taps(x, op->input_width, op->filter_width, 1);
  const int32_t width = columns.end - columns.first;
  const window_t window = {rows.end - rows.first, width, (op->input_width - width) * depth, depth};
  const int8_t *input =
      image + ((y + rows.first) * op->input_width + x + columns.first) * depth;
  for (int32_t channel = 0; channel < depth; channel += CHANNELS) {
    /* The last four may overlap the four before: the same outputs again. */
    const int32_t first = channel + CHANNELS <= depth ? channel : depth - CHANNELS;
    four_means(op, &window, input + first, output + first);
  }
}

void edgekit_average_pool_2d_s8_dsp(const edgekit_average_pool_2d_t *op, const int8_t *input,
                                    int8_t *output) {
  for (int32_t i = 0; i < op->batches; i++) {
    for (int32_t y = 0; y < op->output_height; y++) {
      for (int32_t x = 0; x < op->output_width; x++) {
        pixel(op, input, y * op->stride_height - op->pad_height,
              x * op->stride_width - op->pad_width, output);
        output += op->input_depth;
      }
    }
    input += op->input_height * op->input_width * op->input_depth;
  }
}
