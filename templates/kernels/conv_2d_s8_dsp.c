/* SPDX-License-Identifier: 0BSD */
#include "conv_2d_dsp.h"
#include "edgekit_dsp.h"

/* A patch is expanded once for all channels: for each block of four taps its even bytes as one
 * word and its odd bytes as another, for four pixels side by side: [block][even, odd][pixel]. */
#define PIXELS 4
#define BLOCK_WORDS (2 * PIXELS)

typedef struct {
  int32_t pairs;  /* of channels */
  int32_t blocks; /* of four taps */
  int32_t stride; /* bytes from pixel to pixel of the output */
  int32_t offset; /* twice the zero point, plus 1 */
} tile_t;

/* `pairs` tiles one after the other along the channels of four pixels; returns the end of the
 * weights. */
#if EDGEKIT_DSP_ASSEMBLY

/* One word of weights, a0 b0 a1 b1: two taps of two channels, for four pixels. */
#define TWO_TAPS                   \
  "ldr    r2, [r0], #4        \n"  \
  "ldrd   r3, r12, [r1], #8   \n"  \
  "sxtb16 lr, r2, ror #8      \n"  \
  "sxtb16 r2, r2              \n"  \
  "smlad  r5, lr, r3, r5      \n"  \
  "smlad  r4, r2, r3, r4      \n"  \
  "smlad  r7, lr, r12, r7     \n"  \
  "smlad  r6, r2, r12, r6     \n"  \
  "ldrd   r3, r12, [r1], #8   \n"  \
  "smlad  r8, r2, r3, r8      \n"  \
  "smlad  r9, lr, r3, r9      \n"  \
  "smlad  r10, r2, r12, r10   \n"  \
  "smlad  r11, lr, r12, r11   \n"
#define FOUR_TAPS TWO_TAPS TWO_TAPS
#define FOUR_TAPS_SIZE "104"
/* r1 multiplier, r12 rounding, r3 right shift less one (in its lowest byte). */
#define REQUANTIZE(sum)                \
  "add    r2, r12, " sum ", asr #31\n" \
  "lsl    " sum ", #1              \n" \
  "smmlar " sum ", " sum ", r1, r2 \n" \
  "asr    " sum ", r3              \n" \
  "ssat   " sum ", #8, " sum ", asr #1\n"

__attribute__((naked, noinline)) static const int32_t *tiles(
    const int32_t *weights __attribute__((unused)), const int32_t *patch __attribute__((unused)),
    int8_t *output __attribute__((unused)), const tile_t *tile __attribute__((unused))) {
  __asm__ volatile(
      "push   {r4-r11, lr}        \n"
      "sub    sp, #28             \n"
      "ldrd   r4, r5, [r3]        \n" /* pairs, blocks */
      "ldrd   r6, r7, [r3, #8]    \n" /* stride, offset */
      "add    r8, r1, r5, lsl #5  \n" /* end of the patch */
      "rsb    r5, r5, #0          \n"
      "and    r5, r5, #3          \n" /* blocks that the first round leaves out */
      "mov    r9, #" FOUR_TAPS_SIZE " \n"
      "mul    r5, r5, r9          \n"
      "adr    r9, 2f              \n"
      "add    r5, r5, r9          \n"
      "orr    r5, r5, #1          \n" /* Thumb */
      "add    r9, r2, r4, lsl #1  \n" /* end of the outputs of the first pixel */
      "strd   r1, r5, [sp]        \n"
      "strd   r8, r9, [sp, #8]    \n"
      "strd   r2, r6, [sp, #16]   \n"
      "str    r7, [sp, #24]       \n"
      "1:                         \n"
      "ldrd   r1, r2, [sp]        \n"
      "ldrd   r4, r5, [r0], #8    \n"
      "mov    r6, r4              \n"
      "mov    r7, r5              \n"
      "mov    r8, r4              \n"
      "mov    r9, r5              \n"
      "mov    r10, r4             \n"
      "mov    r11, r5             \n"
      "bx     r2                  \n"
      ".balign 4                  \n"
      "2:                         \n"
      FOUR_TAPS FOUR_TAPS FOUR_TAPS FOUR_TAPS
      "ldr    r2, [sp, #8]        \n"
      "cmp    r1, r2              \n"
      "bne    2b                  \n"
      "ldr    lr, [sp, #24]       \n"
      "ldrd   r1, r3, [r0], #8    \n"
      "lsl    r12, lr, r3         \n"
      REQUANTIZE("r4") REQUANTIZE("r6") REQUANTIZE("r8") REQUANTIZE("r10")
      "ldr    r1, [r0], #4        \n"
      "lsr    r3, r3, #16         \n"
      "lsl    r12, lr, r3         \n"
      REQUANTIZE("r5") REQUANTIZE("r7") REQUANTIZE("r9") REQUANTIZE("r11")
      "ldrd   r1, r2, [sp, #16]   \n"
      "strb   r4, [r1]            \n"
      "strb   r5, [r1, #1]        \n"
      "add    r3, r1, r2          \n"
      "strb   r6, [r3]            \n"
      "strb   r7, [r3, #1]        \n"
      "add    r3, r3, r2          \n"
      "strb   r8, [r3]            \n"
      "strb   r9, [r3, #1]        \n"
      "add    r3, r3, r2          \n"
      "strb   r10, [r3]           \n"
      "strb   r11, [r3, #1]       \n"
      "add    r1, r1, #2          \n"
      "str    r1, [sp, #16]       \n"
      "ldr    r2, [sp, #12]       \n"
      "cmp    r1, r2              \n"
      "bne    1b                  \n"
      "add    sp, #28             \n"
      "pop    {r4-r11, pc}        \n");
}

#else

static const int32_t *tiles(const int32_t *weights, const int32_t *patch, int8_t *output,
                            const tile_t *tile) {
  for (int32_t pair = 0; pair < tile->pairs; pair++) {
    int32_t sum[2][PIXELS];
    for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
      sum[0][pixel] = weights[0];
      sum[1][pixel] = weights[1];
    }
    weights += 2;
    for (int32_t word = 0; word < 2 * tile->blocks; word++) {
      const int32_t a = edgekit_even_bytes((uint32_t)*weights);
      const int32_t b = edgekit_odd_bytes((uint32_t)*weights);
      for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
        const int32_t values = patch[word * PIXELS + pixel];
        sum[0][pixel] = edgekit_multiply_pair(a, values, sum[0][pixel]);
        sum[1][pixel] = edgekit_multiply_pair(b, values, sum[1][pixel]);
      }
      weights++;
    }
    const int32_t shifts = weights[1];
    for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
      output[pixel * tile->stride] = edgekit_requantize_proven(
          sum[0][pixel], weights[0], edgekit_low(shifts), tile->offset);
      output[pixel * tile->stride + 1] = edgekit_requantize_proven(
          sum[1][pixel], weights[2], edgekit_high(shifts), tile->offset);
    }
    weights += 3;
    output += 2;
  }
  return weights;
}

#endif

/* One pixel's patch, rows of bytes at `row`, into its column. */
static void expand(const edgekit_conv_2d_dsp_t *op, const int8_t *row, int32_t row_stride,
                   int32_t *column) {
  const int32_t words = op->run_words;
  const int8_t *source = row;
  for (int32_t y = op->filter_height; y > 0 && words > 0; y--) {
    const int8_t *bytes = source;
    for (int32_t i = words; i > 0; i--) {
      const uint32_t word = edgekit_load4(bytes);
      column[0] = edgekit_even_bytes(word);
      column[PIXELS] = edgekit_odd_bytes(word);
      column += BLOCK_WORDS;
      bytes += 4;
    }
    source += row_stride;
  }
  if (op->run_rest == 0) {
    return;
  }
  uint32_t rest = 0;
  uint32_t place = 0;
  source = row + 4 * words;
  for (int32_t y = op->filter_height; y > 0; y--) {
    for (int32_t i = 0; i < op->run_rest; i++) {
      rest |= (uint32_t)(uint8_t)source[i] << place;
      place += 8;
      if (place == 32) {
        column[0] = edgekit_even_bytes(rest);
        column[PIXELS] = edgekit_odd_bytes(rest);
        column += BLOCK_WORDS;
        rest = 0;
        place = 0;
      }
    }
    source += row_stride;
  }
  if (place > 0) {
    column[0] = edgekit_even_bytes(rest);
    column[PIXELS] = edgekit_odd_bytes(rest);
  }
}

static int8_t *fill(int8_t *target, int32_t count, int32_t value) {
  for (; count > 0; count--) {
    *target++ = (int8_t)value;
  }
  return target;
}

/* A patch that reaches out of the image at (y, x): outside lies the zero point. */
static void copy_patch(const edgekit_conv_2d_dsp_t *op, const int8_t *image, int32_t y, int32_t x,
                       int8_t *patch) {
  const int32_t depth = op->input_depth;
  const int32_t outside = op->input_zero_point;
  const int32_t first = x < 0 ? -x : 0;
  const int32_t right = op->input_width - x;
  const int32_t end = right < op->filter_width ? right : op->filter_width;
  for (int32_t row = y; row < y + op->filter_height; row++) {
    if (row < 0 || row >= op->input_height || end <= first) {
      patch = fill(patch, op->filter_width * depth, outside);
      continue;
    }
    patch = fill(patch, first * depth, outside);
    const int8_t *source = image + (row * op->input_width + x + first) * depth;
    int32_t count = (end - first) * depth;
    for (; count >= 4; count -= 4) {
      const uint32_t word = edgekit_load4(source);
      __builtin_memcpy(patch, &word, 4);
      source += 4;
      patch += 4;
    }
    for (; count > 0; count--) {
      *patch++ = *source++;
    }
    patch = fill(patch, (op->filter_width - end) * depth, outside);
  }
}

/* The patch of output pixel number `pixel`, batches included. */
static void expand_pixel(const edgekit_conv_2d_dsp_t *op, const int8_t *input, int32_t pixel,
                         int32_t *column, int8_t *patch) {
  const int32_t row = pixel / op->output_width;
  const int32_t batch = row / op->output_height;
  const int32_t y = (row - batch * op->output_height) * op->stride_height - op->pad_height;
  const int32_t x = (pixel - row * op->output_width) * op->stride_width - op->pad_width;
  const int32_t row_stride = op->input_width * op->input_depth;
  const int8_t *image = input + batch * op->input_height * row_stride;
  if (y >= 0 && x >= 0 && y + op->filter_height <= op->input_height &&
      x + op->filter_width <= op->input_width) {
    expand(op, image + y * row_stride + x * op->input_depth, row_stride, column);
  } else {
    copy_patch(op, image, y, x, patch);
    expand(op, patch, op->filter_width * op->input_depth, column);
  }
}

void edgekit_conv_2d_s8_dsp(const edgekit_conv_2d_dsp_t *op, const int8_t *input, int8_t *output,
                            void *scratch) {
  int32_t *columns = scratch;
  int8_t *patch = (int8_t *)(columns + op->blocks * BLOCK_WORDS);
  const int32_t depth = op->output_depth;
  const int32_t pixels = op->batches * op->output_height * op->output_width;
  const tile_t all = {depth / 2, op->blocks, depth, 2 * op->output_zero_point + 1};
  const tile_t last = {1, op->blocks, depth, 2 * op->output_zero_point + 1};
  for (int32_t pixel = 0; pixel < pixels; pixel += PIXELS) {
    /* The last four pixels may overlap the four before: the same outputs again. */
    const int32_t first = pixel + PIXELS <= pixels ? pixel : pixels - PIXELS;
    for (int32_t i = 0; i < PIXELS; i++) {
      expand_pixel(op, input, first + i, columns + i, patch);
    }
    int8_t *target = output + first * depth;
    const int32_t *weights = tiles(op->weights, columns, target, &all);
    if (depth % 2 != 0) {
      tiles(weights, columns, target + depth - 2, &last);
    }
    edgekit_clamp_s8(target, PIXELS * depth, op->activation_min, op->activation_max);
  }
}
