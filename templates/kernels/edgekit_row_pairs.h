/* SPDX-License-Identifier: 0BSD */
/* What the kernels of depthwise_conv_2d_3x3_pairs.h share: the walk through the image, a channel
 * and two rows of outputs at a time. The including file defines DROPPED,
 * and multiply() in assembly. */
#ifndef EDGEKIT_ROW_PAIRS_H
#define EDGEKIT_ROW_PAIRS_H

#include "edgekit_swar.h"

#include "depthwise_conv_2d_3x3_pairs.h"

#define COLUMN_WORDS 3  /* a row under the filter of the first, and one of the second, each */
#define CHANNEL_WORDS 7 /* of the weights */

typedef edgekit_depthwise_conv_2d_3x3_pairs_t layer_t;

/* What multiply() writes. */
typedef struct {
  int8_t *first;
  int32_t to_second;  /* from there to the other row's output, 0 where there is none */
  int32_t step;       /* from pixel to pixel */
  const int32_t *end; /* of the columns under the last pixel's filter */
  int32_t turn;       /* bytes from behind a pixel's columns to those of the next */
  int32_t is_wide;
} outputs_t;

/* A channel's outputs in two rows; the second one's is written first. */
static void multiply(const int32_t *channel, const int32_t *columns, const outputs_t *outputs);

/* Sums of pairs and of their uppers, taken apart after each `step` taps. */
static void add_taps(const int32_t *weights, const int32_t *columns, int32_t step, int32_t *sum,
                     int32_t *upper) {
  for (int32_t tap = 0; tap < 9; tap += step) {
    int32_t pair = 0;
    for (int32_t i = tap; i < tap + step && i < 9; i++) {
      const int32_t weight = (int8_t)((uint32_t)weights[i / 3] >> (8 * (i % 3)) & 255U);
      pair = edgekit_sum(pair, edgekit_product(weight, columns[i]));
    }
    *sum = edgekit_sum(*sum, pair);
    *upper += edgekit_upper(pair);
  }
}

/* multiply() for sums that need all 64 bits. */
static void multiply_slowly(const int32_t *channel, const int32_t *columns,
                            const outputs_t *outputs) {
  int8_t *output = outputs->first;
  while (columns != outputs->end) {
    int32_t upper = channel[3];
    int32_t sum = edgekit_pair(upper, upper);
    add_taps(channel, columns, 2, &sum, &upper);
    output[outputs->to_second] = edgekit_requantize_rounded(upper, channel[4], channel[5],
                                                            channel[6] & 255);
    *output = edgekit_requantize_rounded(edgekit_lower_sum(sum, upper), channel[4], channel[5],
                                         channel[6] & 255);
    output += outputs->step;
    columns += 3 * COLUMN_WORDS + outputs->turn / 4;
  }
}

#if !EDGEKIT_RV32_ASSEMBLY && !EDGEKIT_THUMB_ASSEMBLY

static void multiply(const int32_t *channel, const int32_t *columns, const outputs_t *outputs) {
  int8_t *output = outputs->first;
  while (columns != outputs->end) {
    int32_t upper = channel[3];
    int32_t sum = edgekit_pair(upper, upper);
    add_taps(channel, columns, outputs->is_wide != 0 ? 3 : 2, &sum, &upper);
    output[outputs->to_second] = edgekit_requantize_dropping(upper, channel[4], DROPPED,
                                                             channel[5], channel[6] & 255);
    *output = edgekit_requantize_dropping(edgekit_lower_sum(sum, upper), channel[4], DROPPED,
                                          channel[5], channel[6] & 255);
    output += outputs->step;
    columns += 3 * COLUMN_WORDS + outputs->turn / 4;
  }
}

#endif

static int32_t *outside(int32_t *columns, int32_t count, int32_t zero_point) {
  const int32_t pair = edgekit_pair(zero_point, zero_point);
  for (; count > 0; count--) {
    columns[0] = pair;
    columns[1] = pair;
    columns[2] = pair;
    columns += COLUMN_WORDS;
  }
  return columns;
}

/* `count` columns of three words, row k with row k + stride of the image, of which the first is at
 * `row`. Returns their end. */
static int32_t *pack(const layer_t *op, const int8_t *row, int32_t count, int32_t *columns) {
  const int32_t depth = op->depth;
  const int32_t stride = op->input_width * depth;
  const int8_t *a = row;
  const int8_t *b = a + stride;
  const int8_t *c = b + stride;
  const int8_t *d = c + stride;
  int32_t *const end = columns + COLUMN_WORDS * count;
  if (op->stride == 1) {
    while (columns != end) {
      columns[0] = edgekit_pair(*a, *b);
      columns[1] = edgekit_pair(*b, *c);
      columns[2] = edgekit_pair(*c, *d);
      columns += COLUMN_WORDS;
      a += depth;
      b += depth;
      c += depth;
      d += depth;
    }
    return columns;
  }
  const int8_t *e = d + stride;
  while (columns != end) {
    columns[0] = edgekit_pair(*a, *c);
    columns[1] = edgekit_pair(*b, *d);
    columns[2] = edgekit_pair(*c, *e);
    columns += COLUMN_WORDS;
    a += depth;
    b += depth;
    c += depth;
    d += depth;
    e += depth;
  }
  return columns;
}

/* pack() where some rows are outside the image: these read the zero point again and again. */
static int32_t *pack_edge(const layer_t *op, const int8_t *image, int32_t top, int32_t count,
                          int32_t *columns) {
  const int8_t zero_point = (int8_t)op->input_zero_point;
  for (int32_t i = 0; i < COLUMN_WORDS; i++) {
    const int32_t y = top + i;
    const bool has_low = y >= 0 && y < op->input_height;
    const bool has_high = y + op->stride >= 0 && y + op->stride < op->input_height;
    const int32_t low_step = has_low ? op->depth : 0;
    const int32_t high_step = has_high ? op->depth : 0;
    const int8_t *low = has_low ? image + y * op->input_width * op->depth : &zero_point;
    const int8_t *high =
        has_high ? image + (y + op->stride) * op->input_width * op->depth : &zero_point;
    int32_t *const end = columns + COLUMN_WORDS * count;
    for (int32_t *word = columns + i; word < end; word += COLUMN_WORDS) {
      *word = edgekit_pair(*low, *high);
      low += low_step;
      high += high_step;
    }
  }
  return columns + COLUMN_WORDS * count;
}

/* The columns under two rows of outputs, of which `top` is the first row. */
static void pack_rows(const layer_t *op, const int8_t *image, int32_t top, int32_t *columns) {
  const int32_t zero_point = op->input_zero_point;
  const int32_t right = (op->output_width - 1) * op->stride + 3 - op->pad_width - op->input_width;
  const int32_t count = op->input_width + (right < 0 ? right : 0);
  columns = outside(columns, op->pad_width, zero_point);
  if (top >= 0 && top + op->stride + 2 < op->input_height) {
    columns = pack(op, image + top * op->input_width * op->depth, count, columns);
  } else {
    columns = pack_edge(op, image, top, count, columns);
  }
  outside(columns, right, zero_point);
}

/* The next two rows are packed before a row is written: the output may lie on the input. */
static void channel_of(const layer_t *op, const int32_t *channel, bool is_slow, int32_t is_wide,
                       const int8_t *image, int8_t *output, int32_t *scratch) {
  const int32_t row_stride = op->output_width * op->depth;
  int32_t *columns = scratch;
  int32_t *next = scratch + COLUMN_WORDS * ((op->output_width - 1) * op->stride + 3);
  outputs_t outputs = {output, row_stride, op->depth, NULL, 12 * op->stride - 36, is_wide};
  int32_t top = -op->pad_height;
  pack_rows(op, image, top, columns);
  for (int32_t rows = op->output_height; rows > 0; rows -= 2) {
    top += 2 * op->stride;
    if (rows > 2) {
      pack_rows(op, image, top, next);
    } else if (rows == 1) {
      outputs.to_second = 0;
    }
    outputs.end = columns + COLUMN_WORDS * op->output_width * op->stride;
    if (is_slow) {
      multiply_slowly(channel, columns, &outputs);
    } else {
      multiply(channel, columns, &outputs);
    }
    outputs.first += 2 * row_stride;
    int32_t *const packed = next;
    next = columns;
    columns = packed;
  }
}

static void fill_constants(const layer_t *op, int8_t *output) {
  const int32_t pixels = op->output_height * op->output_width;
  for (int32_t i = 0; i < op->constant_channels; i++) {
    int8_t *target = output + (op->constants[i] >> 8);
    const int8_t value = (int8_t)(op->constants[i] & 255);
    for (int32_t pixel = pixels; pixel > 0; pixel--) {
      *target = value;
      target += op->depth;
    }
  }
}

static void convolve(const layer_t *op, const int8_t *input,
                     int8_t *output, int32_t *scratch) {
  const int32_t pixels = op->output_height * op->output_width;
  const int32_t fast = op->wide_channels + op->narrow_channels;
  const int32_t count = fast + op->slow_channels;
  for (int32_t batch = 0; batch < op->batches; batch++) {
    const int32_t *channel = op->weights;
    for (int32_t i = 0; i < count; i++) {
      const int32_t number = channel[CHANNEL_WORDS - 1] >> 8;
      channel_of(op, channel, i >= fast, i < op->wide_channels ? 1 : 0, input + number,
                 output + number, scratch);
      channel += CHANNEL_WORDS;
    }
    fill_constants(op, output);
    edgekit_clamp_s8(output, pixels * op->depth, op->activation_min, op->activation_max);
    input += op->input_height * op->input_width * op->depth;
    output += pixels * op->depth;
  }
}

#endif
