/* SPDX-License-Identifier: 0BSD */
/* Requantization: int32 accumulator -> int8, with the two roundings of TensorFlow Lite Micro. */
#ifndef EDGEKIT_TYPES_H
#define EDGEKIT_TYPES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For inner loops: inlined into their callers they lose the registers to the outer loops. */
#if defined(__GNUC__)
#define EDGEKIT_NOINLINE __attribute__((noinline))
#else
#define EDGEKIT_NOINLINE
#endif

/* The high word of 2*a*b, rounded. Only INT32_MIN * INT32_MIN saturates. */
static inline int32_t edgekit_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) {
    return INT32_MAX;
  }
  const int64_t product = (int64_t)a * (int64_t)b;
  /* Adding 2^30 and shifting (a floor) equals the sign-dependent nudge and truncation
   * of the definition: both round to nearest, and differ on no tie. */
  return (int32_t)((product + (INT64_C(1) << 30)) >> 31);
}

/* value / 2^exponent, rounded half away from zero; exponent is 0..31. */
static inline int32_t edgekit_rounding_shift(int32_t value, int32_t exponent) {
  const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1U);
  const int32_t remainder = value & mask;
  const int32_t threshold = (int32_t)((uint32_t)mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/* accumulator * multiplier * 2^(shift - 31); a positive shift is to the left. The multiplier is
 * not negative and shift is at least -31: what `edgekit_high_mul` and `edgekit_rounding_shift`
 * do, without the cases that this rules out. */
static inline int32_t edgekit_requantize(int32_t accumulator, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t shifted = (int32_t)((uint32_t)accumulator << left);
  const int64_t product = (int64_t)shifted * multiplier;
  const int32_t scaled = (int32_t)((product + (INT64_C(1) << 30)) >> 31);
  if (shift >= 0) {
    return scaled;
  }
  /* Round half away from zero: half up, after a step down where the value is negative. */
  const int32_t lowered = scaled - (scaled < 0 ? 1 : 0);
  return ((lowered >> (-shift - 1)) + 1) >> 1;
}

/* a + b, wrapped: a bias or a scale ratio far beyond any real model's leaves int32. */
static inline int32_t edgekit_sum(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t edgekit_clamp(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : (value > high ? high : value);
}

/* A fused activation's range, where int8 is wider than it. */
static inline void edgekit_clamp_s8(int8_t *values, int32_t count, int32_t low, int32_t high) {
  if (low <= INT8_MIN && high >= INT8_MAX) {
    return;
  }
  for (int32_t i = 0; i < count; i++) {
    values[i] = (int8_t)edgekit_clamp(values[i], low, high);
  }
}

#endif
