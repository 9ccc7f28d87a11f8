/* SPDX-License-Identifier: 0BSD */
/* Two pixels in one word, for cores without SIMD: value = lower + upper * 65536, both signed. A
 * multiplication by a weight is both products; sums of them are taken apart before the lower one
 * could leave int16. */
#ifndef EDGEKIT_SWAR_H
#define EDGEKIT_SWAR_H

/* These files are tuned for -O2. Included first, so that what they inline has the same level. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include "edgekit_types.h"

/* A function of assembly alone. Its arguments and the registers it changes are those of the
 * procedure call standard: GCC must not conclude anything else from a body it cannot read. */
#if defined(__clang__)
#define EDGEKIT_NAKED __attribute__((naked, noinline))
#else
#define EDGEKIT_NAKED __attribute__((naked, noipa))
#endif

#if defined(__riscv) && __riscv_xlen == 32 && defined(__riscv_mul)
#define EDGEKIT_RV32_ASSEMBLY 1
#else
#define EDGEKIT_RV32_ASSEMBLY 0
#endif

#if defined(__thumb__) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define EDGEKIT_THUMB_ASSEMBLY 1
#else
#define EDGEKIT_THUMB_ASSEMBLY 0
#endif

/* A word of two pixels. */
static inline int32_t edgekit_pair(int32_t lower, int32_t upper) {
  return (int32_t)((uint32_t)lower + ((uint32_t)upper << 16));
}

/* The upper one of a pair. */
static inline int32_t edgekit_upper(int32_t pair) {
  return edgekit_sum(pair, 0x8000) >> 16;
}

/* The lower sum of many pairs: `sum` is theirs, modulo 2^32, and `upper` the sum of their uppers. */
static inline int32_t edgekit_lower_sum(int32_t sum, int32_t upper) {
  return (int32_t)((uint32_t)sum - ((uint32_t)upper << 16));
}

static inline int32_t edgekit_product(int32_t weight, int32_t pair) {
  return (int32_t)((uint32_t)weight * (uint32_t)pair);
}

/* An accumulator as an int8 output, under the conditions that edgekit proves before it chooses a
 * kernel that calls this; rounding is (2 * zero_point + 1) << (right_shift - 1). */
static inline int8_t edgekit_requantize_rounded(int32_t accumulator, int32_t multiplier,
                                                int32_t rounding, int32_t right_shift) {
  const int64_t product = (int64_t)accumulator * multiplier;
  const int32_t scaled = (int32_t)((product + (INT64_C(1) << 30)) >> 31);
  const int32_t value = (scaled + rounding + (accumulator >> 31)) >> right_shift;
  return (int8_t)edgekit_clamp(value, INT8_MIN, INT8_MAX);
}

/* The same without a long multiplication, where |accumulator| is below 2^23 and the rounding, with 7
 * bits more, fits 30 bits. The multiplier is taken in bytes from the lowest one: floors within
 * floors. offset is 2 * zero_point + 1. */
static inline int8_t edgekit_requantize_by_bytes(int32_t accumulator, int32_t multiplier,
                                                 int32_t right_shift, int32_t offset) {
  int32_t scaled = (accumulator * (multiplier & 255)) >> 8;
  scaled = (scaled + accumulator * (multiplier >> 8 & 255)) >> 8;
  scaled = (scaled + accumulator * (multiplier >> 16 & 255)) >> 8;
  scaled += accumulator * (multiplier >> 24);
  /* 7 bits are below the integer that is rounded again. */
  const int32_t rounding = 64 + offset * (1 << (right_shift + 6)) + (accumulator >> 31) * 128;
  return (int8_t)edgekit_clamp((scaled + rounding) >> (right_shift + 7), INT8_MIN, INT8_MAX);
}

/* An accumulator as an int8 output, where edgekit has proven it: floor(accumulator * multiplier /
 * 2^dropped) has 31 - dropped bits below the integer that is rounded again; rounding is both. */
static inline int8_t edgekit_requantize_dropping(int32_t accumulator, int32_t multiplier,
                                                 int32_t dropped, int32_t rounding,
                                                 int32_t shift) {
  const int32_t product = (int32_t)(((int64_t)accumulator * multiplier) >> dropped);
  const int32_t lowered = accumulator < 0 ? 1 << (31 - dropped) : 0;
  return (int8_t)edgekit_clamp((product - lowered + rounding) >> shift, INT8_MIN, INT8_MAX);
}

#endif
