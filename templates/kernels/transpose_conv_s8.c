/* SPDX-License-Identifier: 0BSD */
#include "transpose_conv.h"

typedef struct {
  int32_t y; /* of the output, in a padded image */
  int32_t x;
} place_t;

static int32_t dot(const int8_t *input, int32_t input_offset, const int8_t *weights,
                   int32_t count) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; i++) {
    sum += (input[i] + input_offset) * weights[i];
  }
  return sum;
}

/* The input's row (or column) that a tap spreads to the output's; -1 where there is none. */
static int32_t source_of(int32_t place, int32_t tap, int32_t stride, int32_t size) {
  const int32_t distance = place - tap;
  if (distance < 0 || distance % stride != 0 || distance / stride >= size) {
    return -1;
  }
  return distance / stride;
}

static int32_t sum_at(const edgekit_transpose_conv_t *op, const int8_t *input,
                      const int8_t *weights, place_t place) {
  int32_t sum = 0;
  for (int32_t tap_y = 0; tap_y < op->filter_height; tap_y++) {
    const int32_t y = source_of(place.y, tap_y, op->stride_height, op->input_height);
    for (int32_t tap_x = 0; tap_x < op->filter_width; tap_x++) {
      const int32_t x = source_of(place.x, tap_x, op->stride_width, op->input_width);
      if (y >= 0 && x >= 0) {
        sum += dot(input + (y * op->input_width + x) * op->input_depth, op->input_offset, weights,
                   op->input_depth);
      }
      weights += op->input_depth;
    }
  }
  return sum;
}

static void pixel(const edgekit_transpose_conv_t *op, const int8_t *input, place_t place,
                  int8_t *output) {
  const int32_t filter = op->filter_height * op->filter_width * op->input_depth;
  for (int32_t channel = 0; channel < op->output_depth; channel++) {
    const int32_t sum = sum_at(op, input, op->weights + channel * filter, place);
    const int32_t scaled = edgekit_requantize(edgekit_sum(sum, op->bias[channel]),
                                              op->multiplier[channel], op->shift[channel]);
    output[channel] = (int8_t)edgekit_clamp(edgekit_sum(scaled, op->output_zero_point),
                                            op->activation_min, op->activation_max);
  }
}

void edgekit_transpose_conv_s8(const edgekit_transpose_conv_t *op, const int8_t *input,
                               int8_t *output) {
  for (int32_t batch = 0; batch < op->batches; batch++) {
    for (int32_t y = 0; y < op->output_height; y++) {
      for (int32_t x = 0; x < op->output_width; x++) {
        pixel(op, input, (place_t){y + op->pad_height, x + op->pad_width}, output);
        output += op->output_depth;
      }
    }
    input += op->input_height * op->input_width * op->input_depth;
  }
}
