/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "conv_2d_dsp.h"

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

/* `pairs` tiles, not 0, of the same four pixels. */
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

EDGEKIT_NAKED static void tiles(
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
      "strd   r1, r5, [sp]        \n"
      "strd   r8, r4, [sp, #8]    \n"
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
      "ldr    r3, [r0], #4        \n"
      "ldrd   r1, r2, [sp, #16]   \n"
      "uxtah  r12, r1, r3         \n"
      "uxtah  r3, r1, r3, ror #16 \n"
      "strb   r4, [r12]           \n"
      "strb   r5, [r3]            \n"
      "strb   r6, [r12, r2]       \n"
      "strb   r7, [r3, r2]        \n"
      "add    r12, r12, r2, lsl #1\n"
      "add    r3, r3, r2, lsl #1  \n"
      "strb   r8, [r12]           \n"
      "strb   r9, [r3]            \n"
      "strb   r10, [r12, r2]      \n"
      "strb   r11, [r3, r2]       \n"
      "ldr    r2, [sp, #12]       \n"
      "subs   r2, r2, #1          \n"
      "str    r2, [sp, #12]       \n"
      "bne    1b                  \n"
      "add    sp, #28             \n"
      "pop    {r4-r11, pc}        \n");
}

#else

static void tiles(const int32_t *weights, const int32_t *patch, int8_t *output,
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
    int8_t *first = output + ((uint32_t)weights[3] & 0xffffU);
    int8_t *second = output + ((uint32_t)weights[3] >> 16);
    for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
      *first = edgekit_requantize_proven(sum[0][pixel], weights[0], edgekit_low(shifts),
                                         tile->offset);
      *second = edgekit_requantize_proven(sum[1][pixel], weights[2], edgekit_high(shifts),
                                          tile->offset);
      first += tile->stride;
      second += tile->stride;
    }
    weights += 4;
  }
}

#endif

/* Where the patches of four pixels lie: rows of whole words, each row's rest behind them. */
typedef struct {
  const int8_t *source[PIXELS];
  int32_t turn[PIXELS]; /* bytes from behind a row's words to the next row */
  int32_t rows;
  int32_t words;
} patches_t;

/* The whole words of four patches into columns; returns the end of the columns. */
#if EDGEKIT_DSP_ASSEMBLY

EDGEKIT_NAKED static int32_t *expand_words(
    int32_t *columns __attribute__((unused)), const patches_t *patches __attribute__((unused))) {
  __asm__ volatile(
      "push   {r4-r11, lr}           \n"
      "ldrd   r4, r5, [r1, #32]      \n" /* rows, words */
      "push   {r1, r4, r5}           \n"
      "ldm    r1, {r1, r2, r3, r12}  \n"
      "1:                            \n"
      "ldr    lr, [sp, #8]           \n"
      "2:                            \n"
      "ldr    r4, [r1], #4           \n"
      "ldr    r5, [r2], #4           \n"
      "ldr    r6, [r3], #4           \n"
      "ldr    r7, [r12], #4          \n"
      "sxtb16 r8, r4                 \n"
      "sxtb16 r9, r5                 \n"
      "sxtb16 r10, r6                \n"
      "sxtb16 r11, r7                \n"
      "stm    r0!, {r8-r11}          \n"
      "sxtb16 r4, r4, ror #8         \n"
      "sxtb16 r5, r5, ror #8         \n"
      "sxtb16 r6, r6, ror #8         \n"
      "sxtb16 r7, r7, ror #8         \n"
      "subs   lr, lr, #1             \n"
      "stm    r0!, {r4-r7}           \n"
      "bne    2b                     \n"
      "ldrd   r8, r9, [sp]           \n"
      "add    r8, r8, #16            \n"
      "ldm    r8, {r4-r7}            \n"
      "add    r1, r1, r4             \n"
      "add    r2, r2, r5             \n"
      "add    r3, r3, r6             \n"
      "add    r12, r12, r7           \n"
      "subs   r9, r9, #1             \n"
      "str    r9, [sp, #4]           \n"
      "bne    1b                     \n"
      "add    sp, #12                \n"
      "pop    {r4-r11, pc}           \n");
}

#else

static int32_t *expand_words(int32_t *columns, const patches_t *patches) {
  for (int32_t row = 0; row < patches->rows; row++) {
    for (int32_t word = 0; word < patches->words; word++) {
      for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
        const int32_t stride = 4 * patches->words + patches->turn[pixel];
        const uint32_t bytes = edgekit_load4(patches->source[pixel] + row * stride + 4 * word);
        columns[pixel] = edgekit_even_bytes(bytes);
        columns[PIXELS + pixel] = edgekit_odd_bytes(bytes);
      }
      columns += BLOCK_WORDS;
    }
  }
  return columns;
}

#endif

/* What is left of each of a pixel's rows, packed, into its column. */
static void expand_rest(const patches_t *patches, int32_t pixel, int32_t count, int32_t *column) {
  const int8_t *source = patches->source[pixel] + 4 * patches->words;
  const int32_t turn = 4 * patches->words + patches->turn[pixel] - count;
  uint32_t rest = 0;
  int32_t room = 4;
  for (int32_t row = patches->rows; row > 0; row--) {
    for (int32_t i = count; i > 0; i--) {
      rest = rest >> 8 | (uint32_t)(uint8_t)*source++ << 24;
      if (--room == 0) {
        column[0] = edgekit_even_bytes(rest);
        column[PIXELS] = edgekit_odd_bytes(rest);
        column += BLOCK_WORDS;
        room = 4;
      }
    }
    source += turn;
  }
  if (room < 4) {
    rest >>= 8 * room;
    column[0] = edgekit_even_bytes(rest);
    column[PIXELS] = edgekit_odd_bytes(rest);
  }
}

/* The same for one byte a row, as RGB images and 3x3 filters have it. */
static void expand_rest_byte(const patches_t *patches, int32_t pixel, int32_t *column) {
  const int8_t *source = patches->source[pixel] + 4 * patches->words;
  const int32_t stride = 4 * patches->words + patches->turn[pixel];
  for (int32_t rows = patches->rows; rows > 0; rows -= 4) {
    int32_t second = 0;
    int32_t third = 0;
    int32_t fourth = 0;
    const int32_t first = *source;
    if (rows > 2) {
      second = source[stride];
      third = source[2 * stride];
      fourth = rows > 3 ? source[3 * stride] : 0;
    } else if (rows > 1) {
      second = source[stride];
    }
    column[0] = edgekit_pack_low(first, third);
    column[PIXELS] = edgekit_pack_low(second, fourth);
    column += BLOCK_WORDS;
    source += 4 * stride;
  }
}

static void expand(const edgekit_conv_2d_dsp_t *op, const patches_t *patches, int32_t *columns) {
  int32_t *const end = patches->words > 0 ? expand_words(columns, patches) : columns;
  if (op->run_rest == 1) {
    for (int32_t i = 0; i < PIXELS; i++) {
      expand_rest_byte(patches, i, end + i);
    }
  } else if (op->run_rest > 0) {
    for (int32_t i = 0; i < PIXELS; i++) {
      expand_rest(patches, i, op->run_rest, end + i);
    }
  }
}

static int8_t *fill(int8_t *target, int32_t count, int32_t value) {
  const uint32_t word = UINT32_C(0x01010101) * (uint8_t)value;
  for (; count >= 4; count -= 4) {
    __builtin_memcpy(target, &word, 4);
    target += 4;
  }
  for (; count > 0; count--) {
    *target++ = (int8_t)value;
  }
  return target;
}

static int8_t *copy(int8_t *target, const int8_t *source, int32_t count) {
  for (; count >= 4; count -= 4) {
    const uint32_t word = edgekit_load4(source);
    __builtin_memcpy(target, &word, 4);
    source += 4;
    target += 4;
  }
  for (; count > 0; count--) {
    *target++ = *source++;
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
    patch = copy(patch, image + (row * op->input_width + x + first) * depth,
                 (end - first) * depth);
    patch = fill(patch, (op->filter_width - end) * depth, outside);
  }
}

/* The upper left corner of an output pixel's patch; batches included in its number. */
typedef struct {
  const int8_t *image;
  int32_t y;
  int32_t x;
} corner_t;

static corner_t corner_of(const edgekit_conv_2d_dsp_t *op, const int8_t *input, int32_t pixel) {
  const int32_t row = pixel / op->output_width;
  const int32_t batch = row / op->output_height;
  corner_t corner;
  corner.image = input + batch * (op->input_height * op->input_width * op->input_depth);
  corner.y = (row - batch * op->output_height) * op->stride_height - op->pad_height;
  corner.x = (pixel - row * op->output_width) * op->stride_width - op->pad_width;
  return corner;
}

/* Four pixels from number `first`. */
static void expand_window(const edgekit_conv_2d_dsp_t *op, const int8_t *input, int32_t first,
                          int32_t *columns, int8_t *copies) {
  const int32_t depth = op->input_depth;
  const int32_t row_stride = op->input_width * depth;
  const int32_t last_y = op->input_height - op->filter_height;
  const int32_t last_x = op->input_width - op->filter_width;
  const int32_t inside = row_stride - 4 * op->run_words;
  patches_t patches = {{NULL}, {inside, inside, inside, inside}, op->filter_height, op->run_words};
  corner_t corner = corner_of(op, input, first);
  int32_t left = op->output_width - (corner.x + op->pad_width) / op->stride_width;
  for (int32_t i = 0; i < PIXELS; i++) {
    if (corner.y >= 0 && corner.x >= 0 && corner.y <= last_y && corner.x <= last_x) {
      patches.source[i] = corner.image + corner.y * row_stride + corner.x * depth;
    } else {
      copy_patch(op, corner.image, corner.y, corner.x, copies);
      patches.source[i] = copies;
      patches.turn[i] = op->run_rest;
      copies += op->filter_height * op->filter_width * depth;
    }
    corner.x += op->stride_width;
    if (--left == 0 && i + 1 < PIXELS) {
      left = op->output_width;
      corner = corner_of(op, input, first + i + 1);
    }
  }
  expand(op, &patches, columns);
}

/* The same where a patch is one pixel of the input. */
static void expand_pixels(const edgekit_conv_2d_dsp_t *op, const int8_t *input, int32_t first,
                          int32_t *columns) {
  const int8_t *source = input + first * op->input_depth;
  const patches_t patches = {{source, source + op->input_depth, source + 2 * op->input_depth,
                              source + 3 * op->input_depth}, {0, 0, 0, 0}, 1, op->run_words};
  expand(op, &patches, columns);
}

void edgekit_conv_2d_s8_dsp(const edgekit_conv_2d_dsp_t *op, const int8_t *input, int8_t *output,
                            void *scratch) {
  int32_t *columns = scratch;
  int8_t *copies = (int8_t *)(columns + op->blocks * BLOCK_WORDS);
  const int32_t depth = op->output_depth;
  const int32_t pixels = op->batches * op->output_height * op->output_width;
  const bool is_pointwise = op->filter_height == 1 && op->filter_width == 1 &&
                            op->stride_height == 1 && op->stride_width == 1;
  const tile_t tile = {op->pairs, op->blocks, depth, 2 * op->output_zero_point + 1};
  for (int32_t pixel = 0; pixel < pixels; pixel += PIXELS) {
    /* The last four pixels may overlap the four before: the same outputs again. */
    const int32_t first = pixel + PIXELS <= pixels ? pixel : pixels - PIXELS;
    int8_t *const target = output + first * depth;
    if (op->constants != NULL) {
      for (int32_t i = 0; i < PIXELS; i++) {
        copy(target + i * depth, op->constants, depth);
      }
    }
    if (op->pairs == 0) {
      continue;
    }
    if (is_pointwise) {
      expand_pixels(op, input, first, columns);
    } else {
      expand_window(op, input, first, columns, copies);
    }
    tiles(op->weights, columns, target, &tile);
    edgekit_clamp_s8(target, PIXELS * depth, op->activation_min, op->activation_max);
  }
}
