/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "conv_2d_winograd_dsp.h"

/* A step is two tiles of 2x2 outputs side by side. Of their 4x6 patch V = B^T d B is computed for
 * two channels in one word, [position][pair of channels][tile]; for each of the 16 positions the
 * products with the weights U are summed over the channels; A^T (sums) A is four times the
 * convolution, exactly, since U is that of twice G on both sides. */
#define TILES 2
#define CHANNELS 4
#define POSITIONS 16
#define ROWS 4
#define COLUMNS 6
#define SUMS (CHANNELS * TILES)

/* Sums of four channels and two tiles, [position][channel][tile]; rounds of 8 pairs of channels. */
#if EDGEKIT_DSP_ASSEMBLY

#define ONE_PAIR                  \
  "ldrd  r12, lr, [r1], #8    \n" \
  "ldrd  r2, r3, [r0], #8     \n" \
  "smlad r4, r2, r12, r4      \n" \
  "smlad r5, r2, lr, r5       \n" \
  "smlad r6, r3, r12, r6      \n" \
  "smlad r7, r3, lr, r7       \n" \
  "ldrd  r2, r3, [r0], #8     \n" \
  "smlad r8, r2, r12, r8      \n" \
  "smlad r9, r2, lr, r9       \n" \
  "smlad r10, r3, r12, r10    \n" \
  "smlad r11, r3, lr, r11     \n"
#define TWO_PAIRS ONE_PAIR ONE_PAIR

EDGEKIT_NAKED static void multiply(
    const int32_t *weights __attribute__((unused)), const int32_t *values __attribute__((unused)),
    int32_t *sums __attribute__((unused)), int32_t rounds __attribute__((unused))) {
  __asm__ volatile(
      "push  {r4-r11, lr}         \n"
      "sub   sp, #20              \n"
      "add   r4, r2, #512         \n"
      "strd  r2, r3, [sp]         \n" /* sums, rounds */
      "str   r4, [sp, #8]         \n" /* end of the sums */
      "1:                         \n"
      "ldr   r2, [sp, #4]         \n"
      "str   r2, [sp, #12]        \n"
      "mov   r4, #0               \n"
      "mov   r5, #0               \n"
      "mov   r6, #0               \n"
      "mov   r7, #0               \n"
      "mov   r8, #0               \n"
      "mov   r9, #0               \n"
      "mov   r10, #0              \n"
      "mov   r11, #0              \n"
      "2:                         \n"
      TWO_PAIRS TWO_PAIRS TWO_PAIRS TWO_PAIRS
      "ldr   r2, [sp, #12]        \n"
      "subs  r2, r2, #1           \n"
      "str   r2, [sp, #12]        \n"
      "bne   2b                   \n"
      "ldrd  r2, r3, [sp]         \n"
      "stm   r2!, {r4-r11}        \n"
      "str   r2, [sp]             \n"
      "ldr   r3, [sp, #8]         \n"
      "cmp   r2, r3               \n"
      "bne   1b                   \n"
      "add   sp, #20              \n"
      "pop   {r4-r11, pc}         \n");
}

#else

static void multiply(const int32_t *weights, const int32_t *values, int32_t *sums,
                     int32_t rounds) {
  for (int32_t position = 0; position < POSITIONS; position++) {
    for (int32_t i = 0; i < SUMS; i++) {
      sums[i] = 0;
    }
    for (int32_t pair = 0; pair < 8 * rounds; pair++) {
      for (int32_t i = 0; i < SUMS; i++) {
        sums[i] = edgekit_multiply_pair(weights[i / TILES], values[i % TILES], sums[i]);
      }
      weights += CHANNELS;
      values += TILES;
    }
    sums += SUMS;
  }
}

#endif

/* One column of the patch, four rows of two channels, transformed: B^T d. */
static inline void transform_column(int32_t d0, int32_t d1, int32_t d2, int32_t d3,
                                    int32_t *target) {
  target[0] = edgekit_subtract_halves(d0, d2);
  target[COLUMNS] = edgekit_add_halves(d1, d2);
  target[2 * COLUMNS] = edgekit_subtract_halves(d2, d1);
  target[3 * COLUMNS] = edgekit_subtract_halves(d1, d3);
}

/* The rows of both tiles: (B^T d) B; `step` words from position to position. */
static void transform_rows(const int32_t *row, int32_t step, int32_t *target) {
  for (int32_t i = ROWS; i > 0; i--) {
    const int32_t b = row[1];
    const int32_t c = row[2];
    const int32_t d = row[3];
    const int32_t e = row[4];
    target[0] = edgekit_subtract_halves(row[0], c);
    target[1] = edgekit_subtract_halves(c, e);
    target += step;
    target[0] = edgekit_add_halves(b, c);
    target[1] = edgekit_add_halves(d, e);
    target += step;
    target[0] = edgekit_subtract_halves(c, b);
    target[1] = edgekit_subtract_halves(e, d);
    target += step;
    target[0] = edgekit_subtract_halves(b, d);
    target[1] = edgekit_subtract_halves(d, row[5]);
    target += step;
    row += COLUMNS;
  }
}

/* V of a 4x6 patch of `depth` channels. */
static void transform(const int8_t *patch, int32_t row_stride, int32_t depth, int32_t *values) {
  const int32_t step = depth / 2 * TILES;
  for (int32_t channel = 0; channel < depth; channel += CHANNELS) {
    int32_t even[ROWS * COLUMNS];
    int32_t odd[ROWS * COLUMNS];
    const int8_t *pixel = patch + channel;
    for (int32_t column = 0; column < COLUMNS; column++) {
      const uint32_t row_0 = edgekit_load4(pixel);
      const uint32_t row_1 = edgekit_load4(pixel + row_stride);
      const uint32_t row_2 = edgekit_load4(pixel + 2 * row_stride);
      const uint32_t row_3 = edgekit_load4(pixel + 3 * row_stride);
      transform_column(edgekit_even_bytes(row_0), edgekit_even_bytes(row_1),
                       edgekit_even_bytes(row_2), edgekit_even_bytes(row_3), even + column);
      transform_column(edgekit_odd_bytes(row_0), edgekit_odd_bytes(row_1),
                       edgekit_odd_bytes(row_2), edgekit_odd_bytes(row_3), odd + column);
      pixel += depth;
    }
    transform_rows(even, step, values);
    transform_rows(odd, step, values + TILES);
    values += 2 * TILES;
  }
}

typedef struct {
  int32_t bias; /* doubled */
  int32_t multiplier;
  int32_t rounding;
  int32_t right_less_1;
} channel_t;

/* Four times a sum of products -> int8. */
static inline int8_t requantize(channel_t channel, int32_t sum) {
  const int32_t doubled = channel.bias + (sum >> 1);
  const int32_t rounding = channel.rounding + (doubled >> 31);
  const int32_t scaled = edgekit_high_multiply(doubled, channel.multiplier, rounding);
  return (int8_t)edgekit_halve_to_int8(scaled >> channel.right_less_1);
}

/* A column of a tile's sums: A^T (sums). */
typedef struct {
  int32_t upper;
  int32_t lower;
} column_t;

static inline column_t column_of(const int32_t *sums) {
  const int32_t row_1 = sums[ROWS * SUMS];
  const int32_t row_2 = sums[2 * ROWS * SUMS];
  const column_t column = {
      edgekit_sum(edgekit_sum(sums[0], row_1), row_2),
      edgekit_difference(edgekit_difference(row_1, row_2), sums[3 * ROWS * SUMS])};
  return column;
}

/* The 2x2 outputs of one channel and tile: A^T (sums) A. */
EDGEKIT_NOINLINE
static void tile_outputs(const channel_t *channel, const int32_t *sums, const int32_t strides[2],
                         int8_t *output) {
  const column_t first = column_of(sums);
  const column_t second = column_of(sums + SUMS);
  const int32_t upper = edgekit_sum(first.upper, second.upper);
  const int32_t lower = edgekit_sum(first.lower, second.lower);
  const column_t third = column_of(sums + 2 * SUMS);
  const column_t fourth = column_of(sums + 3 * SUMS);
  const int32_t rest = edgekit_sum(third.upper, fourth.upper);
  const int32_t rest_lower = edgekit_sum(third.lower, fourth.lower);
  const channel_t own = *channel;
  output[0] = requantize(own, edgekit_sum(upper, third.upper));
  output[strides[0]] = requantize(own, edgekit_difference(second.upper, rest));
  output += strides[1];
  output[0] = requantize(own, edgekit_sum(lower, third.lower));
  output[strides[0]] = requantize(own, edgekit_difference(second.lower, rest_lower));
}

/* The step whose first output is at `output`, of all channels. */
static void step_outputs(const edgekit_conv_2d_winograd_dsp_t *op, const int32_t *values,
                         int32_t *sums, int8_t *output) {
  const int32_t depth = op->output_depth;
  const int32_t strides[2] = {depth, op->output_width * depth};
  const int32_t rounds = op->input_depth / 16;
  const int32_t *weights = op->weights;
  for (int32_t first = 0; first < depth; first += CHANNELS) {
    multiply(weights, values, sums, rounds);
    weights += POSITIONS * (op->input_depth / 2) * CHANNELS;
    for (int32_t i = 0; i < CHANNELS; i++) {
      const int32_t index = first + i;
      const int32_t right_less_1 = op->right_shift[index] - 1;
      const channel_t channel = {op->bias[index], op->multiplier[index],
                                 (2 * op->output_zero_point + 1) * (1 << right_less_1),
                                 right_less_1};
      const int32_t *own = sums + i * TILES;
      tile_outputs(&channel, own, strides, output + index);
      tile_outputs(&channel, own + 1, strides, output + 2 * depth + index);
    }
  }
}

/* A patch that reaches out of the image at (y, x): outside lies the zero point. */
static void copy_patch(const edgekit_conv_2d_winograd_dsp_t *op, const int8_t *image, int32_t y,
                       int32_t x, int8_t *patch) {
  const int32_t depth = op->input_depth;
  const uint32_t outside = UINT32_C(0x01010101) * (uint8_t)op->input_zero_point;
  for (int32_t row = y; row < y + ROWS; row++) {
    for (int32_t column = x; column < x + COLUMNS; column++) {
      const bool inside = row >= 0 && row < op->input_height && column >= 0 &&
                          column < op->input_width;
      const int8_t *source = image + (inside ? (row * op->input_width + column) * depth : 0);
      for (int32_t i = 0; i < depth; i += 4) {
        const uint32_t word = inside ? edgekit_load4(source + i) : outside;
        __builtin_memcpy(patch, &word, 4);
        patch += 4;
      }
    }
  }
}

static void batch(const edgekit_conv_2d_winograd_dsp_t *op, const int8_t *image, int8_t *output,
                  int32_t *values) {
  const int32_t depth = op->input_depth;
  const int32_t row_stride = op->input_width * depth;
  int32_t *const sums = values + POSITIONS * (depth / 2) * TILES;
  int8_t *const patch = (int8_t *)sums; /* a patch is read before there are sums */
  for (int32_t row = 0; row < op->output_height; row += 2) {
    const int32_t y = row - op->pad_height;
    for (int32_t column = 0; column < op->output_width; column += 2 * TILES) {
      const int32_t x = column - op->pad_width;
      if (y >= 0 && x >= 0 && y + ROWS <= op->input_height && x + COLUMNS <= op->input_width) {
        transform(image + y * row_stride + x * depth, row_stride, depth, values);
      } else {
        copy_patch(op, image, y, x, patch);
        transform(patch, COLUMNS * depth, depth, values);
      }
      step_outputs(op, values, sums,
                   output + (row * op->output_width + column) * op->output_depth);
    }
  }
}

void edgekit_conv_2d_winograd_s8_dsp(const edgekit_conv_2d_winograd_dsp_t *op,
                                     const int8_t *input, int8_t *output, void *scratch) {
  const int32_t size = op->output_height * op->output_width * op->output_depth;
  for (int32_t i = 0; i < op->batches; i++) {
    batch(op, input, output, scratch);
    edgekit_clamp_s8(output, size, op->activation_min, op->activation_max);
    input += op->input_height * op->input_width * op->input_depth;
    output += size;
  }
}
