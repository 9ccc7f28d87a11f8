/* SPDX-License-Identifier: 0BSD */
#include "resize_bilinear.h"

#define ONE (1 << 10)
#define HALF (1 << 19)

/* Weights are at most ONE but where a place is a little outside the image: sums fit int32. */
static int8_t between(const int8_t *from[4], int32_t channel, int32_t down, int32_t across) {
  const int32_t upper = from[0][channel] * (ONE - across) + from[1][channel] * across;
  const int32_t lower = from[2][channel] * (ONE - across) + from[3][channel] * across;
  const int32_t sum = upper * (ONE - down) + lower * down;
  return (int8_t)((sum + (sum > 0 ? HALF : -HALF)) / (ONE * ONE));
}

static void pixel(const edgekit_resize_bilinear_t *op, const int32_t *row, const int32_t *column,
                  const int8_t *input, int8_t *output) {
  const int8_t *from[4] = {input + row[0] + column[0], input + row[0] + column[1],
                           input + row[1] + column[0], input + row[1] + column[1]};
  const int32_t depth = op->depth;
  for (int32_t channel = 0; channel < depth; channel++) {
    output[channel] = between(from, channel, row[2], column[2]);
  }
}

void edgekit_resize_bilinear_s8(const edgekit_resize_bilinear_t *op, const int8_t *input,
                                int8_t *output) {
  for (int32_t batch = 0; batch < op->batches; batch++) {
    for (int32_t y = 0; y < op->output_height; y++) {
      for (int32_t x = 0; x < op->output_width; x++) {
        pixel(op, op->rows + 3 * y, op->columns + 3 * x, input, output);
        output += op->depth;
      }
    }
    input += op->input_batch;
  }
}
