/* SPDX-License-Identifier: 0BSD */
#include "conv_2d.h"
#include "edgekit_window.h"

/* The part of the image under the filter, as runs of bytes that are contiguous in the image
 * and in the filter: a whole row of taps, or one tap when dilation keeps them apart. */
typedef struct {
  const int8_t *input;
  int32_t filter_start; /* offset of the first tap inside the image, in one filter */
  int32_t rows;
  int32_t runs; /* per row */
  int32_t length;
  int32_t input_row_stride;
  int32_t input_run_stride;
  int32_t filter_row_stride;
} patch_t;

static patch_t patch_at(const edgekit_conv_2d_t *op, const int8_t *image, int32_t y, int32_t x) {
  const int32_t depth = op->input_depth;
  const edgekit_taps_t rows =
      edgekit_taps(y, op->input_height, op->filter_height, op->dilation_height);
  const edgekit_taps_t columns =
      edgekit_taps(x, op->input_width, op->filter_width, op->dilation_width);
  const int32_t count = columns.end - columns.first;
  const bool joined = op->dilation_width == 1;
  const int32_t first_y = y + rows.first * op->dilation_height;
  const int32_t first_x = x + columns.first * op->dilation_width;
  patch_t patch;
  patch.rows = count > 0 ? rows.end - rows.first : 0;
  patch.runs = joined ? 1 : count;
  patch.length = joined ? count * depth : depth;
  patch.input = patch.rows > 0 ? image + (first_y * op->input_width + first_x) * depth : image;
  patch.filter_start = (rows.first * op->filter_width + columns.first) * depth;
  patch.input_row_stride = op->dilation_height * op->input_width * depth;
  patch.input_run_stride = op->dilation_width * depth;
  patch.filter_row_stride = op->filter_width * depth;
  return patch;
}

/* Two filters at once, so that each input byte is loaded once for both. */
EDGEKIT_NOINLINE
static void dot_pair(const patch_t *patch, const int8_t *filter_a, const int8_t *filter_b,
                     int32_t input_offset, int32_t sums[2]) {
  const ptrdiff_t to_b = filter_b - filter_a;
  const int8_t *filter_row = filter_a + patch->filter_start;
  const int8_t *input_row = patch->input;
  const int32_t length = patch->length;
  int32_t sum_a = 0;
  int32_t sum_b = 0;
  for (int32_t row = patch->rows; row > 0; row--) {
    const int8_t *input = input_row;
    const int8_t *a = filter_row;
    for (int32_t run = patch->runs; run > 0; run--) {
      const int8_t *b = a + to_b;
      for (int32_t i = 0; i < length; i++) {
        const int32_t value = input[i] + input_offset;
        sum_a += a[i] * value;
        sum_b += b[i] * value;
      }
      input += patch->input_run_stride;
      a += length;
    }
    input_row += patch->input_row_stride;
    filter_row += patch->filter_row_stride;
  }
  sums[0] = sum_a;
  sums[1] = sum_b;
}

static int8_t output_of(const edgekit_conv_2d_t *op, int32_t channel, int32_t sum) {
  const int32_t accumulator = edgekit_sum(sum, op->bias[channel]);
  const int32_t scaled = edgekit_requantize(accumulator, op->multiplier[channel],
                                            op->shift[channel]);
  return (int8_t)edgekit_clamp(edgekit_sum(scaled, op->output_zero_point),
                               op->activation_min, op->activation_max);
}

static void pixel(const edgekit_conv_2d_t *op, const patch_t *patch, int8_t *output) {
  const int32_t filter_size = op->filter_height * op->filter_width * op->input_depth;
  const int8_t *filter = op->weights;
  for (int32_t channel = 0; channel < op->output_depth; channel += 2) {
    /* The last filter of an odd number is its own partner. */
    const int32_t second = channel + 1 < op->output_depth ? 1 : 0;
    int32_t sums[2];
    dot_pair(patch, filter, filter + second * filter_size, op->input_offset, sums);
    output[channel] = output_of(op, channel, sums[0]);
    output[channel + second] = output_of(op, channel + second, sums[1]);
    filter += 2 * filter_size;
  }
}

static int8_t *batch(const edgekit_conv_2d_t *op, const int8_t *input, int8_t *output) {
  for (int32_t y = 0; y < op->output_height; y++) {
    const int32_t top = y * op->stride_height - op->pad_height;
    int32_t left = -op->pad_width;
    for (int32_t x = 0; x < op->output_width; x++) {
      const patch_t patch = patch_at(op, input, top, left);
      pixel(op, &patch, output);
      output += op->output_depth;
      left += op->stride_width;
    }
  }
  return output;
}

void edgekit_conv_2d_s8(const edgekit_conv_2d_t *op, const int8_t *input, int8_t *output) {
  for (int32_t i = 0; i < op->batches; i++) {
    output = batch(op, input, output);
    input += op->input_height * op->input_width * op->input_depth;
  }
}
