/* SPDX-License-Identifier: 0BSD */
#include "conv_2d_1x1.h"

typedef struct {
  int32_t sum[2][2]; /* [pixel][channel] */
} tile_t;

/* Two pixels by two filters: four loads for four products. */
static tile_t dot_tile(const int8_t *pixel_0, const int8_t *pixel_1, const int8_t *filter_0,
                       const int8_t *filter_1, int32_t depth) {
  int32_t sum_00 = 0;
  int32_t sum_01 = 0;
  int32_t sum_10 = 0;
  int32_t sum_11 = 0;
  for (int32_t i = 0; i < depth; i++) {
    const int32_t value_0 = pixel_0[i];
    const int32_t value_1 = pixel_1[i];
    const int32_t weight_0 = filter_0[i];
    const int32_t weight_1 = filter_1[i];
    sum_00 += value_0 * weight_0;
    sum_01 += value_0 * weight_1;
    sum_10 += value_1 * weight_0;
    sum_11 += value_1 * weight_1;
  }
  return (tile_t){{{sum_00, sum_01}, {sum_10, sum_11}}};
}

static int8_t output_of(const edgekit_conv_2d_1x1_t *op, int32_t channel, int32_t sum) {
  const int32_t accumulator = edgekit_sum(sum, op->bias[channel]);
  const int32_t scaled = edgekit_requantize(accumulator, op->multiplier[channel],
                                            op->shift[channel]);
  return (int8_t)edgekit_clamp(edgekit_sum(scaled, op->output_zero_point),
                               op->activation_min, op->activation_max);
}

/* All channels of two pixels. The last channel of an odd number is its own partner, and so is
 * the last pixel: it is computed twice and written twice, with the same result. */
static void pixel_pair(const edgekit_conv_2d_1x1_t *op, const int8_t *pixel_0,
                       const int8_t *pixel_1, int8_t *output_0, int8_t *output_1) {
  const int8_t *filter = op->weights;
  for (int32_t channel = 0; channel < op->output_depth; channel += 2) {
    const int32_t partner = channel + (channel + 1 < op->output_depth ? 1 : 0);
    const int8_t *filter_1 = op->weights + partner * op->input_depth;
    const tile_t tile = dot_tile(pixel_0, pixel_1, filter, filter_1, op->input_depth);
    output_0[channel] = output_of(op, channel, tile.sum[0][0]);
    output_0[partner] = output_of(op, partner, tile.sum[0][1]);
    output_1[channel] = output_of(op, channel, tile.sum[1][0]);
    output_1[partner] = output_of(op, partner, tile.sum[1][1]);
    filter += 2 * op->input_depth;
  }
}

void edgekit_conv_2d_1x1_s8(const edgekit_conv_2d_1x1_t *op, const int8_t *input, int8_t *output) {
  for (int32_t pixel = 0; pixel < op->pixels; pixel += 2) {
    const int32_t second = pixel + 1 < op->pixels ? 1 : 0;
    pixel_pair(op, input, input + second * op->input_depth, output,
               output + second * op->output_depth);
    input += 2 * op->input_depth;
    output += 2 * op->output_depth;
  }
}
