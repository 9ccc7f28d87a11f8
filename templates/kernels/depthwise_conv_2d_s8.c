/* SPDX-License-Identifier: 0BSD */
#include "depthwise_conv_2d.h"
#include "edgekit_window.h"

/* The part of the image under the filter. */
typedef struct {
  const int8_t *input;   /* first tap inside the image, channel 0 */
  const int8_t *weights; /* the same tap */
  int32_t rows;
  int32_t columns;
  int32_t input_offset;
  int32_t input_step; /* from tap to tap of a row */
  int32_t weights_step;
  int32_t input_turn; /* from behind the last tap of a row to the first of the next */
  int32_t weights_turn;
} patch_t;

static patch_t patch_at(const edgekit_depthwise_conv_2d_t *op, const int8_t *image, int32_t y,
                        int32_t x) {
  const edgekit_taps_t rows =
      edgekit_taps(y, op->input_height, op->filter_height, op->dilation_height);
  const edgekit_taps_t columns =
      edgekit_taps(x, op->input_width, op->filter_width, op->dilation_width);
  const int32_t first_y = y + rows.first * op->dilation_height;
  const int32_t first_x = x + columns.first * op->dilation_width;
  patch_t patch;
  patch.columns = columns.end - columns.first;
  patch.rows = patch.columns > 0 ? rows.end - rows.first : 0;
  patch.input_offset = op->input_offset;
  patch.input_step = op->dilation_width * op->input_depth;
  patch.weights_step = op->input_depth * op->depth_multiplier;
  patch.input = image;
  patch.weights = op->weights;
  if (patch.rows > 0) {
    patch.input += (first_y * op->input_width + first_x) * op->input_depth;
    patch.weights += (rows.first * op->filter_width + columns.first) * patch.weights_step;
  }
  patch.input_turn = op->dilation_height * op->input_width * op->input_depth -
                     patch.columns * patch.input_step;
  patch.weights_turn = (op->filter_width - patch.columns) * patch.weights_step;
  return patch;
}

EDGEKIT_NOINLINE
static int32_t dot(const patch_t *patch, const int8_t *input, const int8_t *weights) {
  int32_t sum = 0;
  for (int32_t row = patch->rows; row > 0; row--) {
    for (int32_t column = patch->columns; column > 0; column--) {
      sum += *weights * (*input + patch->input_offset);
      input += patch->input_step;
      weights += patch->weights_step;
    }
    input += patch->input_turn;
    weights += patch->weights_turn;
  }
  return sum;
}

typedef struct {
  int32_t sum[4];
} quad_t;

/* Four output channels at once, of four neighbouring input channels. */
EDGEKIT_NOINLINE
static quad_t dot_quad(const patch_t *patch, const int8_t *input, const int8_t *weights) {
  const int32_t offset = patch->input_offset;
  const int32_t input_step = patch->input_step;
  const int32_t weights_step = patch->weights_step;
  quad_t quad = {{0, 0, 0, 0}};
  for (int32_t row = patch->rows; row > 0; row--) {
    for (int32_t column = patch->columns; column > 0; column--) {
      quad.sum[0] += weights[0] * (input[0] + offset);
      quad.sum[1] += weights[1] * (input[1] + offset);
      quad.sum[2] += weights[2] * (input[2] + offset);
      quad.sum[3] += weights[3] * (input[3] + offset);
      input += input_step;
      weights += weights_step;
    }
    input += patch->input_turn;
    weights += patch->weights_turn;
  }
  return quad;
}

/* Four output channels at once, of one input channel. */
EDGEKIT_NOINLINE
static quad_t dot_shared_quad(const patch_t *patch, const int8_t *input, const int8_t *weights) {
  const int32_t offset = patch->input_offset;
  const int32_t input_step = patch->input_step;
  const int32_t weights_step = patch->weights_step;
  quad_t quad = {{0, 0, 0, 0}};
  for (int32_t row = patch->rows; row > 0; row--) {
    for (int32_t column = patch->columns; column > 0; column--) {
      const int32_t value = *input + offset;
      quad.sum[0] += weights[0] * value;
      quad.sum[1] += weights[1] * value;
      quad.sum[2] += weights[2] * value;
      quad.sum[3] += weights[3] * value;
      input += input_step;
      weights += weights_step;
    }
    input += patch->input_turn;
    weights += patch->weights_turn;
  }
  return quad;
}

static int8_t output_of(const edgekit_depthwise_conv_2d_t *op, int32_t channel, int32_t sum) {
  const int32_t accumulator = edgekit_sum(sum, op->bias[channel]);
  const int32_t scaled = edgekit_requantize(accumulator, op->multiplier[channel],
                                            op->shift[channel]);
  return (int8_t)edgekit_clamp(edgekit_sum(scaled, op->output_zero_point),
                               op->activation_min, op->activation_max);
}

static void store_quad(const edgekit_depthwise_conv_2d_t *op, int32_t channel, quad_t quad,
                       int8_t *output) {
  for (int32_t i = 0; i < 4; i++) {
    output[channel + i] = output_of(op, channel + i, quad.sum[i]);
  }
}

/* One output channel per input channel. */
static void pixel(const edgekit_depthwise_conv_2d_t *op, const patch_t *patch, int8_t *output) {
  int32_t channel = 0;
  for (; channel + 4 <= op->input_depth; channel += 4) {
    const quad_t quad = dot_quad(patch, patch->input + channel, patch->weights + channel);
    store_quad(op, channel, quad, output);
  }
  for (; channel < op->input_depth; channel++) {
    const int32_t sum = dot(patch, patch->input + channel, patch->weights + channel);
    output[channel] = output_of(op, channel, sum);
  }
}

/* depth_multiplier output channels per input channel. */
static void multiplied_pixel(const edgekit_depthwise_conv_2d_t *op, const patch_t *patch,
                             int8_t *output) {
  int32_t channel = 0;
  for (int32_t source = 0; source < op->input_depth; source++) {
    const int8_t *input = patch->input + source;
    const int32_t end = channel + op->depth_multiplier;
    for (; channel + 4 <= end; channel += 4) {
      store_quad(op, channel, dot_shared_quad(patch, input, patch->weights + channel), output);
    }
    for (; channel < end; channel++) {
      output[channel] = output_of(op, channel, dot(patch, input, patch->weights + channel));
    }
  }
}

static int8_t *batch(const edgekit_depthwise_conv_2d_t *op, const int8_t *input, int8_t *output) {
  for (int32_t y = 0; y < op->output_height; y++) {
    const int32_t top = y * op->stride_height - op->pad_height;
    int32_t left = -op->pad_width;
    for (int32_t x = 0; x < op->output_width; x++) {
      const patch_t patch = patch_at(op, input, top, left);
      if (op->depth_multiplier == 1) {
        pixel(op, &patch, output);
      } else {
        multiplied_pixel(op, &patch, output);
      }
      output += op->input_depth * op->depth_multiplier;
      left += op->stride_width;
    }
  }
  return output;
}

void edgekit_depthwise_conv_2d_s8(const edgekit_depthwise_conv_2d_t *op, const int8_t *input,
                                  int8_t *output) {
  for (int32_t i = 0; i < op->batches; i++) {
    output = batch(op, input, output);
    input += op->input_height * op->input_width * op->input_depth;
  }
}
