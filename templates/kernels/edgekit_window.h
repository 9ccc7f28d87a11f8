/* SPDX-License-Identifier: 0BSD */
/* Which taps of a filter lie inside the image. */
#ifndef EDGEKIT_WINDOW_H
#define EDGEKIT_WINDOW_H

#include "edgekit_types.h"

typedef struct {
  int32_t first; /* first tap inside the image */
  int32_t end;   /* one behind the last; end - first taps are inside, none if 0 */
} edgekit_taps_t;

/* Taps are at origin, origin + dilation, ...; the image is 0..size-1. */
static inline edgekit_taps_t edgekit_taps(int32_t origin, int32_t size, int32_t filter,
                                          int32_t dilation) {
  edgekit_taps_t taps = {0, filter};
  int32_t position = origin;
  while (position < 0 && taps.first < filter) {
    position += dilation;
    taps.first++;
  }
  position = origin + (filter - 1) * dilation;
  while (position >= size && taps.end > taps.first) {
    position -= dilation;
    taps.end--;
  }
  return taps;
}

#endif
