/* SPDX-License-Identifier: 0BSD */
/* Columns of two pixels in a word: for each tap the first two of four pixels and the last two. */
#ifndef EDGEKIT_PAIRS_H
#define EDGEKIT_PAIRS_H

#include "edgekit_patches.h"
#include "edgekit_swar.h"

/* `count` taps of each of the four patches. */
static int32_t *expand_taps(const int8_t *const source[PIXELS], int32_t count, int32_t *columns) {
  const int8_t *a = source[0];
  const int8_t *b = source[1];
  const int8_t *c = source[2];
  const int8_t *d = source[3];
  for (; count >= 4; count -= 4) {
    for (int32_t i = 0; i < 4; i++) {
      columns[2 * i] = edgekit_pair(a[i], b[i]);
      columns[2 * i + 1] = edgekit_pair(c[i], d[i]);
    }
    a += 4;
    b += 4;
    c += 4;
    d += 4;
    columns += BLOCK_WORDS;
  }
  for (; count > 0; count--) {
    *columns++ = edgekit_pair(*a++, *b++);
    *columns++ = edgekit_pair(*c++, *d++);
  }
  return columns;
}

static void expand(const edgekit_conv_2d_patches_t *op, const patches_t *patches,
                   int32_t *columns) {
  const int32_t run = 4 * op->run_words + op->run_rest;
  const int8_t *source[PIXELS] = {patches->source[0], patches->source[1], patches->source[2],
                                  patches->source[3]};
  int32_t *const end = columns + BLOCK_WORDS * op->blocks;
  for (int32_t row = patches->rows; row > 0; row--) {
    columns = expand_taps(source, run, columns);
    for (int32_t i = 0; i < PIXELS; i++) {
      source[i] += 4 * op->run_words + patches->turn[i];
    }
  }
  while (columns < end) {
    *columns++ = 0;
  }
}

#endif
