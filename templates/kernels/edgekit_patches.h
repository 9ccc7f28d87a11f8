/* SPDX-License-Identifier: 0BSD */
/* What the kernels of conv_2d_patches.h share: where the patches of four pixels lie, and the walk
 * over the image. The including file defines expand() and tiles(). */
#ifndef EDGEKIT_PATCHES_H
#define EDGEKIT_PATCHES_H

#include "conv_2d_patches.h"

#define PIXELS 4
#define BLOCK_WORDS (2 * PIXELS) /* of four taps, expanded */

/* What tiles() is told of the layer. */
typedef struct {
  int32_t tiles;
  int32_t blocks; /* of four taps */
  int32_t stride; /* bytes from pixel to pixel of the output */
  int32_t offset; /* twice the zero point, plus 1 */
} tile_t;

/* Where the patches of four pixels lie: rows of whole words, each row's rest behind them. */
typedef struct {
  const int8_t *source[PIXELS];
  int32_t turn[PIXELS]; /* bytes from behind a row's words to the next row */
  int32_t rows;
  int32_t words;
} patches_t;

/* Four patches, in the kernel's own order, into columns; and their products with every tile of
 * weights, of which there is one at least, requantized into the output. */
static void expand(const edgekit_conv_2d_patches_t *op, const patches_t *patches,
                   int32_t *columns);
static void tiles(const int32_t *weights, const int32_t *columns, int8_t *output,
                  const tile_t *tile);

/* Words at any address where the core has them: what is copied here is short and odd. */
#if defined(__GNUC__) && defined(__ARM_FEATURE_UNALIGNED)
#define COPIES_WORDS 1
#else
#define COPIES_WORDS 0
#endif

static int8_t *fill(int8_t *target, int32_t count, int32_t value) {
#if COPIES_WORDS
  const uint32_t word = UINT32_C(0x01010101) * (uint8_t)value;
  for (; count >= 4; count -= 4) {
    __builtin_memcpy(target, &word, 4);
    target += 4;
  }
#endif
  for (; count > 0; count--) {
    *target++ = (int8_t)value;
  }
  return target;
}

static int8_t *copy(int8_t *target, const int8_t *source, int32_t count) {
#if COPIES_WORDS
  for (; count >= 4; count -= 4) {
    uint32_t word;
    __builtin_memcpy(&word, source, 4);
    __builtin_memcpy(target, &word, 4);
    source += 4;
    target += 4;
  }
#endif
  for (; count > 0; count--) {
    *target++ = *source++;
  }
  return target;
}

/* A patch that reaches out of the image at (y, x): outside lies the zero point. */
static void copy_patch(const edgekit_conv_2d_patches_t *op, const int8_t *image, int32_t y,
                       int32_t x, int8_t *patch) {
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

static corner_t corner_of(const edgekit_conv_2d_patches_t *op, const int8_t *input, int32_t pixel) {
  const int32_t row = pixel / op->output_width;
  const int32_t batch = row / op->output_height;
  corner_t corner;
  corner.image = input + batch * (op->input_height * op->input_width * op->input_depth);
  corner.y = (row - batch * op->output_height) * op->stride_height - op->pad_height;
  corner.x = (pixel - row * op->output_width) * op->stride_width - op->pad_width;
  return corner;
}

/* Four pixels from number `first`. */
static void expand_window(const edgekit_conv_2d_patches_t *op, const int8_t *input, int32_t first,
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

/* The same where a patch is one pixel of the input; `stride` is 0 for four times the same one. */
static void expand_pixels(const edgekit_conv_2d_patches_t *op, const int8_t *input, int32_t first,
                          int32_t stride, int32_t *columns) {
  const int8_t *source = input + first * op->input_depth;
  const patches_t patches = {{source, source + stride, source + 2 * stride, source + 3 * stride},
                             {0, 0, 0, 0}, 1, op->run_words};
  expand(op, &patches, columns);
}

static void convolve(const edgekit_conv_2d_patches_t *op, const int8_t *input, int8_t *output,
                     void *scratch) {
  int32_t *columns = scratch;
  int8_t *copies = (int8_t *)(columns + op->blocks * BLOCK_WORDS);
  const int32_t depth = op->output_depth;
  const int32_t pixels = op->batches * op->output_height * op->output_width;
  const bool is_pointwise = op->filter_height == 1 && op->filter_width == 1 &&
                            op->stride_height == 1 && op->stride_width == 1;
  tile_t tile = {op->tiles, op->blocks, depth, 2 * op->output_zero_point + 1};
  for (int32_t pixel = 0; pixel < pixels; pixel += PIXELS) {
    int32_t first = pixel;
    int32_t step = 1;
    if (is_pointwise && pixel + 1 == pixels) {
      step = 0; /* the last one alone: the output may lie on the three before it */
    } else if (pixel + PIXELS > pixels) {
      first = pixels - PIXELS; /* overlaps the four before: the same outputs again */
    }
    int8_t *const target = output + first * depth;
    /* All that is read of the input is read before anything is written: they may overlap. */
    if (is_pointwise && op->tiles > 0) {
      expand_pixels(op, input, first, step * op->input_depth, columns);
    } else if (op->tiles > 0) {
      expand_window(op, input, first, columns, copies);
    }
    const int32_t stride = step * depth;
    if (op->constants != NULL) {
      for (int32_t i = 0; i <= step * (PIXELS - 1); i++) {
        copy(target + i * depth, op->constants, depth);
      }
    }
    if (op->tiles > 0) {
      tile.stride = stride;
      tiles(op->weights, columns, target, &tile);
      edgekit_clamp_s8(target, depth + (PIXELS - 1) * stride, op->activation_min,
                       op->activation_max);
    }
  }
}

#endif
