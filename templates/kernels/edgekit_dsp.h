/* SPDX-License-Identifier: 0BSD */
/* The DSP instructions of Cortex-M4, M7 and M33 as functions; elsewhere the same in plain C, so
 * that these kernels can be compiled and tested on any machine. "Halves" are the two int16 of a
 * word. */
#ifndef EDGEKIT_DSP_H
#define EDGEKIT_DSP_H

/* These files are tuned for -O2, -O3 makes them larger and no faster. Included first, so that what
 * they inline has the same level. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include "edgekit_types.h"

/* Four int8 as they lie in memory, at any address; the first is the lowest byte. */
static inline uint32_t edgekit_load4(const int8_t *source) {
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint32_t word;
  __builtin_memcpy(&word, source, sizeof word);
  return word;
#else
  return (uint32_t)(uint8_t)source[0] | (uint32_t)(uint8_t)source[1] << 8 |
         (uint32_t)(uint8_t)source[2] << 16 | (uint32_t)(uint8_t)source[3] << 24;
#endif
}

/* The lower and the upper half. */
static inline int32_t edgekit_low(int32_t halves) { return (int16_t)(halves & 0xffff); }
static inline int32_t edgekit_high(int32_t halves) { return halves >> 16; }

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define EDGEKIT_DSP_ASSEMBLY 1

/* A function of assembly alone. Its arguments and the registers it changes are those of the
 * procedure call standard: GCC must not conclude anything else from a body it cannot read. */
#if defined(__clang__)
#define EDGEKIT_NAKED __attribute__((naked, noinline))
#else
#define EDGEKIT_NAKED __attribute__((naked, noipa))
#endif

/* Bytes 0 and 2, as halves. */
static inline int32_t edgekit_even_bytes(uint32_t bytes) {
  int32_t halves;
  __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(bytes));
  return halves;
}

/* Bytes 1 and 3, as halves. */
static inline int32_t edgekit_odd_bytes(uint32_t bytes) {
  int32_t halves;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(bytes));
  return halves;
}

/* Halves + bytes 0 and 2. */
static inline int32_t edgekit_add_even_bytes(int32_t halves, uint32_t bytes) {
  int32_t sums;
  __asm__("sxtab16 %0, %1, %2" : "=r"(sums) : "r"(halves), "r"(bytes));
  return sums;
}

/* Halves + bytes 1 and 3. */
static inline int32_t edgekit_add_odd_bytes(int32_t halves, uint32_t bytes) {
  int32_t sums;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sums) : "r"(halves), "r"(bytes));
  return sums;
}

/* The lower halves of a and b as one word, a's below. */
static inline int32_t edgekit_pack_low(int32_t a, int32_t b) {
  int32_t halves;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(halves) : "r"(a), "r"(b));
  return halves;
}

/* The upper halves of a and b as one word, a's below. */
static inline int32_t edgekit_pack_high(int32_t a, int32_t b) {
  int32_t halves;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(halves) : "r"(b), "r"(a));
  return halves;
}

/* sum + both products of halves. */
static inline int32_t edgekit_multiply_pair(int32_t a, int32_t b, int32_t sum) {
  int32_t total;
  __asm__("smlad %0, %1, %2, %3" : "=r"(total) : "r"(a), "r"(b), "r"(sum));
  return total;
}

/* sum + the high word of a * b, rounded. */
static inline int32_t edgekit_high_multiply(int32_t a, int32_t b, int32_t sum) {
  int32_t total;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(total) : "r"(a), "r"(b), "r"(sum));
  return total;
}

/* value / 2, rounded down, saturated to int8. */
static inline int32_t edgekit_halve_to_int8(int32_t value) {
  int32_t byte;
  __asm__("ssat %0, #8, %1, asr #1" : "=r"(byte) : "r"(value));
  return byte;
}

/* Both halves added, or subtracted; they do not overflow. */
static inline int32_t edgekit_add_halves(int32_t a, int32_t b) {
  int32_t halves;
  __asm__("sadd16 %0, %1, %2" : "=r"(halves) : "r"(a), "r"(b));
  return halves;
}

static inline int32_t edgekit_subtract_halves(int32_t a, int32_t b) {
  int32_t halves;
  __asm__("ssub16 %0, %1, %2" : "=r"(halves) : "r"(a), "r"(b));
  return halves;
}

#else
#define EDGEKIT_DSP_ASSEMBLY 0

static inline int32_t edgekit_even_bytes(uint32_t bytes) {
  const uint32_t low = (uint32_t)(int8_t)(bytes & 255U) & 0xffffU;
  const uint32_t high = (uint32_t)(int8_t)(bytes >> 16 & 255U);
  return (int32_t)(high << 16 | low);
}

static inline int32_t edgekit_odd_bytes(uint32_t bytes) { return edgekit_even_bytes(bytes >> 8); }

static inline int32_t edgekit_add_even_bytes(int32_t halves, uint32_t bytes) {
  const uint32_t low = (uint32_t)(edgekit_low(halves) + (int8_t)(bytes & 255U));
  const uint32_t high = (uint32_t)(edgekit_high(halves) + (int8_t)(bytes >> 16 & 255U));
  return (int32_t)(high << 16 | (low & 0xffffU));
}

static inline int32_t edgekit_add_odd_bytes(int32_t halves, uint32_t bytes) {
  return edgekit_add_even_bytes(halves, bytes >> 8);
}

static inline int32_t edgekit_pack_low(int32_t a, int32_t b) {
  return (int32_t)(((uint32_t)a & 0xffffU) | (uint32_t)b << 16);
}

static inline int32_t edgekit_pack_high(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a >> 16 | ((uint32_t)b & 0xffff0000U));
}

static inline int32_t edgekit_add_halves(int32_t a, int32_t b) {
  const uint32_t low = (uint32_t)(edgekit_low(a) + edgekit_low(b));
  const uint32_t high = (uint32_t)(edgekit_high(a) + edgekit_high(b));
  return (int32_t)(high << 16 | (low & 0xffffU));
}

static inline int32_t edgekit_subtract_halves(int32_t a, int32_t b) {
  const uint32_t low = (uint32_t)(edgekit_low(a) - edgekit_low(b));
  const uint32_t high = (uint32_t)(edgekit_high(a) - edgekit_high(b));
  return (int32_t)(high << 16 | (low & 0xffffU));
}

static inline int32_t edgekit_multiply_pair(int32_t a, int32_t b, int32_t sum) {
  return sum + edgekit_low(a) * edgekit_low(b) + edgekit_high(a) * edgekit_high(b);
}

static inline int32_t edgekit_high_multiply(int32_t a, int32_t b, int32_t sum) {
  return sum + (int32_t)(((int64_t)a * b + (INT64_C(1) << 31)) >> 32);
}

static inline int32_t edgekit_halve_to_int8(int32_t value) {
  return edgekit_clamp(value >> 1, INT8_MIN, INT8_MAX);
}

#endif

/* a - b, wrapped. */
static inline int32_t edgekit_difference(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a - (uint32_t)b);
}

/* An accumulator as an int8 output, under the conditions that edgekit proves before it chooses a
 * kernel that calls this: shift is -1 - right_less_1, and offset is 2 * zero_point + 1. */
static inline int8_t edgekit_requantize_proven(int32_t accumulator, int32_t multiplier,
                                               int32_t right_less_1, int32_t offset) {
  const int32_t rounding = offset * (1 << right_less_1) + (accumulator >> 31);
  const int32_t scaled = edgekit_high_multiply(2 * accumulator, multiplier, rounding);
  return (int8_t)edgekit_halve_to_int8(scaled >> right_less_1);
}

#endif
