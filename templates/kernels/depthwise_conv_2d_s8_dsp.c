/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "depthwise_conv_2d.h"
#include "edgekit_window.h"

#define CHANNELS 4

/* The part of the image under the filter. */
typedef struct {
  const int8_t *input;   /* first tap inside the image, channel 0 */
  const int8_t *weights; /* the same tap */
  int32_t rows;
  int32_t columns;
  int32_t offsets; /* minus the input's zero point, as halves */
  int32_t depth;
  int32_t input_step; /* from tap to tap of a row */
  int32_t input_turn; /* from behind the last tap of a row to the first of the next */
  int32_t weights_turn;
} patch_t;

static patch_t patch_at(const edgekit_depthwise_conv_2d_t *op, const int8_t *image, int32_t y,
                        int32_t x) {
  const int32_t depth = op->input_depth;
  const edgekit_taps_t rows =
      edgekit_taps(y, op->input_height, op->filter_height, op->dilation_height);
  const edgekit_taps_t columns =
      edgekit_taps(x, op->input_width, op->filter_width, op->dilation_width);
  const int32_t first_y = y + rows.first * op->dilation_height;
  const int32_t first_x = x + columns.first * op->dilation_width;
  patch_t patch;
  patch.columns = columns.end - columns.first;
  patch.rows = patch.columns > 0 ? rows.end - rows.first : 0;
  patch.offsets = edgekit_pack_low(op->input_offset, op->input_offset);
  patch.depth = depth;
  patch.input_step = op->dilation_width * depth;
  patch.input = image;
  patch.weights = op->weights;
  if (patch.rows > 0) {
    patch.input += (first_y * op->input_width + first_x) * depth;
    patch.weights += (rows.first * op->filter_width + columns.first) * depth;
  }
  patch.input_turn = op->dilation_height * op->input_width * depth -
                     patch.columns * patch.input_step;
  patch.weights_turn = (op->filter_width - patch.columns) * depth;
  return patch;
}

/* Four channels at once: even ones are halves of one word, odd ones of another. */
EDGEKIT_NOINLINE
static void add_taps(const patch_t *patch, const int8_t *input, const int8_t *weights,
                     int32_t sums[CHANNELS]) {
  const int32_t offsets = patch->offsets;
  const int32_t input_step = patch->input_step;
  const int32_t depth = patch->depth;
  int32_t sum_0 = sums[0];
  int32_t sum_1 = sums[1];
  int32_t sum_2 = sums[2];
  int32_t sum_3 = sums[3];
  for (int32_t row = patch->rows; row > 0; row--) {
    for (int32_t column = patch->columns; column > 0; column--) {
      const uint32_t bytes = edgekit_load4(input);
      const uint32_t weight = edgekit_load4(weights);
      const int32_t even = edgekit_add_even_bytes(offsets, bytes);
      const int32_t odd = edgekit_add_odd_bytes(offsets, bytes);
      const int32_t even_weight = edgekit_even_bytes(weight);
      const int32_t odd_weight = edgekit_odd_bytes(weight);
      sum_0 += edgekit_low(even) * edgekit_low(even_weight);
      sum_1 += edgekit_low(odd) * edgekit_low(odd_weight);
      sum_2 += edgekit_high(even) * edgekit_high(even_weight);
      sum_3 += edgekit_high(odd) * edgekit_high(odd_weight);
      input += input_step;
      weights += depth;
    }
    input += patch->input_turn;
    weights += patch->weights_turn;
  }
  sums[0] = sum_0;
  sums[1] = sum_1;
  sums[2] = sum_2;
  sums[3] = sum_3;
}

static void pixel(const edgekit_depthwise_conv_2d_t *op, const patch_t *patch, int8_t *output) {
  const int32_t depth = op->input_depth;
  const int32_t offset = 2 * op->output_zero_point + 1;
  for (int32_t channel = 0; channel < depth; channel += CHANNELS) {
    /* The last four may overlap the four before: the same outputs again. */
    const int32_t first = channel + CHANNELS <= depth ? channel : depth - CHANNELS;
    const int32_t *bias = op->bias + first;
    int32_t sums[CHANNELS] = {bias[0], bias[1], bias[2], bias[3]};
    add_taps(patch, patch->input + first, patch->weights + first, sums);
    for (int32_t i = 0; i < CHANNELS; i++) {
      output[first + i] = edgekit_requantize_proven(sums[i], op->multiplier[first + i],
                                                    -op->shift[first + i] - 1, offset);
    }
  }
}

void edgekit_depthwise_conv_2d_s8_dsp(const edgekit_depthwise_conv_2d_t *op, const int8_t *input,
                                      int8_t *output) {
  for (int32_t i = 0; i < op->batches; i++) {
    for (int32_t y = 0; y < op->output_height; y++) {
      for (int32_t x = 0; x < op->output_width; x++) {
        const patch_t patch = patch_at(op, input, y * op->stride_height - op->pad_height,
                                       x * op->stride_width - op->pad_width);
        pixel(op, &patch, output);
        edgekit_clamp_s8(output, op->input_depth, op->activation_min, op->activation_max);
        output += op->input_depth;
      }
    }
    input += op->input_height * op->input_width * op->input_depth;
  }
}
