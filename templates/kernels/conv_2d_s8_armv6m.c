/* SPDX-License-Identifier: 0BSD */
#include "edgekit_swar.h"

#include "edgekit_pairs.h"

/* Weights: how many channels add four taps before they are taken apart, the others two; bits of
 * the multiplier that are dropped, 22 or 24; then each channel, those first: bias; a word of four
 * weights for each block; multiplier, rounding, number << 8 | shift. */
#define HEAD 2

typedef struct {
  int32_t channels; /* not 0 */
  int32_t blocks;   /* of four taps */
  int32_t stride;   /* bytes from pixel to pixel of the output */
  int32_t is_wide;  /* four taps are added before they are taken apart */
  int32_t dropped;
} job_t;

/* The channels of a job, for four pixels; returns the end of their weights. */
#if EDGEKIT_THUMB_ASSEMBLY

/* r0 columns, r1 weights; sums of pairs in r8 and r10, of their uppers in r9 and r11; r12 is half a
 * step of the upper lane. The pairs to take apart are in r4 and r5. */
#define TAKE_APART       \
  "add   r8, r4      \n" \
  "add   r4, r12     \n" \
  "asrs  r4, r4, #16 \n" \
  "add   r9, r4      \n" \
  "add   r10, r5     \n" \
  "add   r5, r12     \n" \
  "asrs  r5, r5, #16 \n" \
  "add   r11, r5     \n"
#define FIRST_TWO_TAPS      \
  "ldm   r1!, {r3}      \n" \
  "ldm   r0!, {r4-r7}   \n" \
  "sxtb  r2, r3         \n" \
  "muls  r4, r2         \n" \
  "muls  r5, r2         \n" \
  "asrs  r3, r3, #8     \n" \
  "sxtb  r2, r3         \n" \
  "muls  r6, r2         \n" \
  "muls  r7, r2         \n" \
  "adds  r4, r4, r6     \n" \
  "adds  r5, r5, r7     \n"
#define BLOCK_BY_TWO        \
  FIRST_TWO_TAPS TAKE_APART \
  "ldm   r0!, {r4-r7}   \n" \
  "asrs  r3, r3, #8     \n" \
  "sxtb  r2, r3         \n" \
  "muls  r4, r2         \n" \
  "muls  r5, r2         \n" \
  "asrs  r3, r3, #8     \n" \
  "muls  r6, r3         \n" \
  "muls  r7, r3         \n" \
  "adds  r4, r4, r6     \n" \
  "adds  r5, r5, r7     \n" \
  TAKE_APART
#define BLOCK_BY_TWO_SIZE "74"
#define BLOCK_BY_FOUR       \
  FIRST_TWO_TAPS            \
  "ldm   r0!, {r6, r7}  \n" \
  "asrs  r3, r3, #8     \n" \
  "sxtb  r2, r3         \n" \
  "muls  r6, r2         \n" \
  "muls  r7, r2         \n" \
  "adds  r4, r4, r6     \n" \
  "adds  r5, r5, r7     \n" \
  "ldm   r0!, {r6, r7}  \n" \
  "asrs  r3, r3, #8     \n" \
  "muls  r6, r3         \n" \
  "muls  r7, r3         \n" \
  "adds  r4, r4, r6     \n" \
  "adds  r5, r5, r7     \n" \
  TAKE_APART
#define BLOCK_BY_FOUR_SIZE "64"

/* The lower sum into r0. */
#define LOWER(sum, upper)    \
  "mov   r1, " upper "   \n" \
  "lsls  r1, r1, #16     \n" \
  "mov   r0, " sum "     \n" \
  "subs  r0, r0, r1      \n"
/* The accumulator in r0 times the multiplier, of which r2, r3, r4 are parts from the lowest one;
 * where there are four, the lowest is on the stack. */
#define MULTIPLY_11          \
  "movs  r1, r0          \n" \
  "muls  r1, r2          \n" \
  "asrs  r1, r1, #11     \n" \
  "movs  r6, r0          \n" \
  "muls  r6, r3          \n" \
  "adds  r1, r1, r6      \n" \
  "asrs  r1, r1, #11     \n" \
  "lsrs  r6, r0, #31     \n" \
  "lsls  r6, r6, #9      \n" \
  "muls  r0, r4          \n" \
  "adds  r0, r0, r1      \n" \
  "subs  r0, r0, r6      \n"
#define MULTIPLY_8           \
  "ldr   r1, [sp, #28]   \n" \
  "muls  r1, r0          \n" \
  "asrs  r1, r1, #8      \n" \
  "movs  r6, r0          \n" \
  "muls  r6, r2          \n" \
  "adds  r1, r1, r6      \n" \
  "asrs  r1, r1, #8      \n" \
  "movs  r6, r0          \n" \
  "muls  r6, r3          \n" \
  "adds  r1, r1, r6      \n" \
  "asrs  r1, r1, #8      \n" \
  "lsrs  r6, r0, #31     \n" \
  "lsls  r6, r6, #7      \n" \
  "muls  r0, r4          \n" \
  "adds  r0, r0, r1      \n" \
  "subs  r0, r0, r6      \n"
/* lr rounding, r5 shift in the lowest byte, r7 output. */
#define STORE                \
  "add   r0, lr          \n" \
  "asrs  r0, r5          \n" \
  "sxtb  r1, r0          \n" \
  "cmp   r0, r1          \n" \
  "beq   9f              \n" \
  "asrs  r0, r0, #31     \n" \
  "movs  r1, #127        \n" \
  "eors  r0, r1          \n" \
  "9:                    \n" \
  "strb  r0, [r7]        \n"
#define NEXT_PIXEL           \
  "ldr   r1, [sp, #12]   \n" \
  "adds  r7, r7, r1      \n"
#define FOUR_PIXELS(multiply)             \
  LOWER("r8", "r9") multiply STORE        \
  NEXT_PIXEL                              \
  "mov   r0, r9          \n" multiply STORE \
  NEXT_PIXEL                              \
  LOWER("r10", "r11") multiply STORE      \
  NEXT_PIXEL                              \
  "mov   r0, r11         \n" multiply STORE

/* Stack: 0 columns, 4 their end, 8 output, 12 stride, 16 channels left, 20 where the first round
 * begins, 24 weights, 28 lowest part of the multiplier, 32 where requantization begins. */
EDGEKIT_NAKED static const int32_t *run(
    const int32_t *weights __attribute__((unused)), const int32_t *columns __attribute__((unused)),
    int8_t *output __attribute__((unused)), const job_t *job __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified        \n"
      "push  {r4-r7, lr}      \n"
      "mov   r4, r8           \n"
      "mov   r5, r9           \n"
      "mov   r6, r10          \n"
      "mov   r7, r11          \n"
      "push  {r4-r7}          \n"
      "sub   sp, #36          \n"
      "str   r1, [sp]         \n"
      "str   r2, [sp, #8]     \n"
      "ldm   r3!, {r4-r7}     \n"
      "str   r6, [sp, #12]    \n"
      "str   r4, [sp, #16]    \n"
      "lsls  r2, r5, #5       \n"
      "adds  r2, r2, r1       \n"
      "str   r2, [sp, #4]     \n"
      "rsbs  r5, r5, #0       \n"
      "movs  r2, #3           \n"
      "ands  r5, r2           \n" /* blocks that the first round leaves out */
      "ldr   r3, [r3]         \n"
      "mov   r1, r0           \n"
      "cmp   r7, #0           \n"
      "beq   1f               \n"
      "adr   r4, 4f           \n"
      "movs  r6, #" BLOCK_BY_FOUR_SIZE " \n"
      "b     2f               \n"
      "1:                     \n"
      "adr   r4, 3f           \n"
      "movs  r6, #" BLOCK_BY_TWO_SIZE " \n"
      "2:                     \n"
      "muls  r5, r6           \n"
      "adds  r5, r5, r4       \n"
      "adds  r5, #1           \n" /* Thumb */
      "str   r5, [sp, #20]    \n"
      "str   r3, [sp, #32]    \n"
      "movs  r4, #128         \n"
      "lsls  r4, r4, #8       \n"
      "mov   r12, r4          \n"
      "1:                     \n"
      "ldr   r0, [sp]         \n"
      "ldr   r2, [sp, #4]     \n"
      "mov   lr, r2           \n"
      "ldm   r1!, {r4}        \n"
      "lsls  r5, r4, #16      \n"
      "adds  r5, r5, r4       \n"
      "mov   r8, r5           \n"
      "mov   r9, r4           \n"
      "mov   r10, r5          \n"
      "mov   r11, r4          \n"
      "ldr   r2, [sp, #20]    \n"
      "bx    r2               \n"
      ".balign 4              \n"
      "3:                     \n"
      BLOCK_BY_TWO BLOCK_BY_TWO BLOCK_BY_TWO BLOCK_BY_TWO
      "cmp   r0, lr           \n"
      "beq   9f               \n"
      "b     3b               \n"
      "9:                     \n"
      "b     5f               \n"
      ".balign 4              \n"
      "4:                     \n"
      BLOCK_BY_FOUR BLOCK_BY_FOUR BLOCK_BY_FOUR BLOCK_BY_FOUR
      "cmp   r0, lr           \n"
      "beq   5f               \n"
      "b     4b               \n"
      "5:                     \n"
      "ldm   r1!, {r2, r3, r5}\n"
      "str   r1, [sp, #24]    \n"
      "mov   lr, r3           \n"
      "ldr   r7, [sp, #8]     \n"
      "lsrs  r0, r5, #8       \n"
      "adds  r7, r7, r0       \n"
      "ldr   r0, [sp, #32]    \n"
      "cmp   r0, #22          \n"
      "beq   6f               \n"
      "b     7f               \n"
      "6:                     \n"
      "lsrs  r4, r2, #22      \n"
      "lsls  r3, r2, #10      \n"
      "lsrs  r3, r3, #21      \n"
      "lsls  r2, r2, #21      \n"
      "lsrs  r2, r2, #21      \n"
      FOUR_PIXELS(MULTIPLY_11)
      "b     8f               \n"
      "7:                     \n"
      "lsrs  r4, r2, #24      \n"
      "uxtb  r3, r2           \n"
      "str   r3, [sp, #28]    \n"
      "lsrs  r3, r2, #16      \n"
      "uxtb  r3, r3           \n"
      "lsrs  r2, r2, #8       \n"
      "uxtb  r2, r2           \n"
      FOUR_PIXELS(MULTIPLY_8)
      "8:                     \n"
      "ldr   r1, [sp, #24]    \n"
      "ldr   r2, [sp, #16]    \n"
      "subs  r2, r2, #1       \n"
      "str   r2, [sp, #16]    \n"
      "beq   9f               \n"
      "b     1b               \n"
      "9:                     \n"
      "mov   r0, r1           \n"
      "add   sp, #36          \n"
      "pop   {r4-r7}          \n"
      "mov   r8, r4           \n"
      "mov   r9, r5           \n"
      "mov   r10, r6          \n"
      "mov   r11, r7          \n"
      "pop   {r4-r7, pc}      \n");
}

#else

/* A block's products of a channel with two pixels; taps that are added before they are taken apart
 * are `step` apart from the next. */
static void add_block(int32_t weights, const int32_t *columns, int32_t step, int32_t *sum,
                      int32_t *upper) {
  for (int32_t tap = 0; tap < 4; tap += step) {
    int32_t pair = 0;
    for (int32_t i = tap; i < tap + step; i++) {
      const int32_t weight = (int8_t)((uint32_t)weights >> (8 * i) & 255U);
      pair = edgekit_sum(pair, edgekit_product(weight, columns[2 * i]));
    }
    *sum = edgekit_sum(*sum, pair);
    *upper += edgekit_upper(pair);
  }
}

static int8_t output_of(int32_t accumulator, const int32_t *last, int32_t dropped) {
  return edgekit_requantize_dropping(accumulator, last[0], dropped, last[1], last[2] & 255);
}

static const int32_t *run(const int32_t *weights, const int32_t *columns, int8_t *output,
                          const job_t *job) {
  for (int32_t channel = 0; channel < job->channels; channel++) {
    const int32_t bias = *weights++;
    const int32_t *const last = weights + job->blocks;
    int8_t *target = output + (last[2] >> 8);
    for (int32_t pixel = 0; pixel < PIXELS; pixel += 2) {
      int32_t upper = bias;
      int32_t sum = edgekit_pair(bias, bias);
      for (int32_t block = 0; block < job->blocks; block++) {
        add_block(weights[block], columns + BLOCK_WORDS * block + pixel / 2,
                  job->is_wide != 0 ? 4 : 2, &sum, &upper);
      }
      target[0] = output_of(edgekit_lower_sum(sum, upper), last, job->dropped);
      target[job->stride] = output_of(upper, last, job->dropped);
      target += 2 * job->stride;
    }
    weights = last + 3;
  }
  return weights;
}

#endif

static void tiles(const int32_t *weights, const int32_t *columns, int8_t *output,
                  const tile_t *tile) {
  job_t job = {weights[0], tile->blocks, tile->stride, 1, weights[1]};
  const int32_t rest = tile->tiles - job.channels;
  weights += HEAD;
  if (job.channels > 0) {
    weights = run(weights, columns, output, &job);
  }
  if (rest > 0) {
    job.channels = rest;
    job.is_wide = 0;
    run(weights, columns, output, &job);
  }
}

void edgekit_conv_2d_s8_armv6m(const edgekit_conv_2d_patches_t *op, const int8_t *input,
                               int8_t *output, void *scratch) {
  convolve(op, input, output, scratch);
}
