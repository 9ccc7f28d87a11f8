/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "depthwise_conv_2d_3x3_dsp.h"

/* Four channels at a time go through the image from top to bottom. Two neighbouring rows are
 * packed into one word for each channel and column, [channel][column]; two such pairs are kept:
 * rows 0 and 1 under the filter (upper), 2 and 3 (lower). With stride 1 they give two rows of
 * outputs, with stride 2 one; the lower pair is the next step's upper one. */
#define CHANNELS 4

/* Everything is doubled, weights and bias, so that the high word of a product with the multiplier
 * needs no shift. */
typedef struct {
  int32_t rows_01[3]; /* by column: weights of rows 0 and 1 as halves */
  int32_t rows_12[3];
  int32_t bias;
  int32_t multiplier;
  int32_t rounding;
  int32_t right_less_1;
} channel_t;

typedef struct {
  int8_t *output;
  int32_t pixel_stride; /* bytes */
  int32_t row_stride;   /* to the second row of outputs; 0: there is none */
  int32_t last;         /* bytes from a channel's first column to the last pair of outputs' */
  int32_t plane;        /* bytes from channel to channel of a packed pair of rows */
} step_t;

#if EDGEKIT_DSP_ASSEMBLY

/* Stack: 0 channel, 4 its multiplier, 8 output, 12 pixel_stride, 16 row_stride, 20 end,
 * 24 upper, 28 lower, 32 plane, 36 first output, 40 channels left, 44 last. */
#define ENTER                        \
  "push   {r4-r11, lr}           \n" \
  "sub    sp, #52                \n" \
  "add    r4, r0, #28            \n" \
  "strd   r0, r4, [sp]           \n" \
  "ldrd   r5, r6, [r3]           \n" \
  "ldrd   r7, r8, [r3, #8]       \n" \
  "ldr    r9, [r3, #16]          \n" \
  "strd   r5, r6, [sp, #8]       \n" \
  "add    r10, r1, r8            \n" \
  "strd   r7, r10, [sp, #16]     \n" \
  "strd   r1, r2, [sp, #24]      \n" \
  "strd   r9, r5, [sp, #32]      \n" \
  "mov    r6, #4                 \n" \
  "strd   r6, r8, [sp, #40]      \n" \
  "mov    r0, r1                 \n" \
  "mov    r1, r2                 \n" \
  "1:                            \n" \
  "ldr    r2, [sp]               \n" \
  "ldm    r2, {r4-r10}           \n"

#define REQUANTIZE(sum)                     \
  "add    r3, r5, " sum ", asr #31      \n" \
  "smmlar " sum ", " sum ", r4, r3      \n" \
  "asr    " sum ", r6                   \n" \
  "ssat   " sum ", #8, " sum ", asr #1  \n"

/* The next two outputs; behind the last ones go on where one is left, to 2 where none is. */
#define NEXT_OUTPUTS(two_outputs)          \
  "add    r2, r2, r3, lsl #1           \n" \
  "str    r2, [sp, #8]                 \n" \
  "ldr    r4, [sp, #20]                \n" \
  "cmp    r0, r4                       \n" \
  "bls    1b                           \n" \
  "sub    r4, r0, r4                   \n" \
  "cmp    r4, #" two_outputs "         \n" \
  "beq    2f                           \n"

#define NEXT_CHANNEL                       \
  "2:                                  \n" \
  "ldrd   r8, r9, [sp, #40]            \n" \
  "subs   r8, r8, #1                   \n" \
  "beq    3f                           \n" \
  "str    r8, [sp, #40]                \n" \
  "ldrd   r0, r1, [sp, #24]            \n" \
  "ldrd   r2, r3, [sp, #32]            \n" \
  "add    r0, r0, r2                   \n" \
  "add    r1, r1, r2                   \n" \
  "add    r3, r3, #1                   \n" \
  "strd   r0, r1, [sp, #24]            \n" \
  "str    r3, [sp, #36]                \n" \
  "str    r3, [sp, #8]                 \n" \
  "add    r9, r0, r9                   \n" \
  "str    r9, [sp, #20]                \n" \
  "ldrd   r4, r5, [sp]                 \n" \
  "add    r4, r4, #40                  \n" \
  "add    r5, r5, #40                  \n" \
  "strd   r4, r5, [sp]                 \n" \
  "b      1b                           \n" \
  "3:                                  \n" \
  "add    sp, #52                      \n" \
  "pop    {r4-r11, pc}                 \n"

/* Two columns of two rows of outputs: sums r10, r11 above, r12, lr below. */
EDGEKIT_NAKED static void outputs_stride_1(
    const channel_t *channels __attribute__((unused)), const int32_t *upper __attribute__((unused)),
    const int32_t *lower __attribute__((unused)), const step_t *step __attribute__((unused))) {
  __asm__ volatile(
      ENTER
      "ldrd   r2, r3, [r0], #8   \n"
      "smlatb r12, r2, r4, r10   \n"
      "smlad  r11, r3, r4, r10   \n"
      "smlatb lr, r3, r4, r10    \n"
      "smlad  r10, r2, r4, r10   \n"
      "smlatb r12, r3, r5, r12   \n"
      "smlad  r10, r3, r5, r10   \n"
      "ldrd   r2, r3, [r0]       \n"
      "smlad  r11, r2, r5, r11   \n"
      "smlatb lr, r2, r5, lr     \n"
      "smlatb r12, r2, r6, r12   \n"
      "smlad  r10, r2, r6, r10   \n"
      "smlad  r11, r3, r6, r11   \n"
      "smlatb lr, r3, r6, lr     \n"
      "ldrd   r2, r3, [r1], #8   \n"
      "smlabt r10, r2, r7, r10   \n"
      "smlad  r12, r2, r7, r12   \n"
      "smlabt r11, r3, r7, r11   \n"
      "smlad  lr, r3, r7, lr     \n"
      "smlabt r10, r3, r8, r10   \n"
      "smlad  r12, r3, r8, r12   \n"
      "ldrd   r2, r3, [r1]       \n"
      "smlabt r11, r2, r8, r11   \n"
      "smlad  lr, r2, r8, lr     \n"
      "smlabt r10, r2, r9, r10   \n"
      "smlad  r12, r2, r9, r12   \n"
      "smlabt r11, r3, r9, r11   \n"
      "smlad  lr, r3, r9, lr     \n"
      "ldr    r2, [sp, #4]       \n"
      "ldm    r2, {r4-r6}        \n"
      REQUANTIZE("r12") REQUANTIZE("lr") REQUANTIZE("r10") REQUANTIZE("r11")
      "ldrd   r2, r3, [sp, #8]   \n"
      "ldr    r4, [sp, #16]      \n"
      "add    r4, r4, r2         \n"
      "strb   r12, [r4]          \n" /* first: the row above is right where both are one */
      "strb   lr, [r4, r3]       \n"
      "strb   r10, [r2]          \n"
      "strb   r11, [r2, r3]      \n"
      NEXT_OUTPUTS("8")
      "ldr    r2, [sp]           \n" /* one column: sums r10 above, r12 below */
      "ldm    r2, {r4-r10}       \n"
      "ldrd   r2, r3, [r0]       \n"
      "ldr    r11, [r0, #8]      \n"
      "smlatb r12, r2, r4, r10   \n"
      "smlad  r10, r2, r4, r10   \n"
      "smlatb r12, r3, r5, r12   \n"
      "smlad  r10, r3, r5, r10   \n"
      "smlatb r12, r11, r6, r12  \n"
      "smlad  r10, r11, r6, r10  \n"
      "ldrd   r2, r3, [r1]       \n"
      "ldr    r11, [r1, #8]      \n"
      "smlabt r10, r2, r7, r10   \n"
      "smlad  r12, r2, r7, r12   \n"
      "smlabt r10, r3, r8, r10   \n"
      "smlad  r12, r3, r8, r12   \n"
      "smlabt r10, r11, r9, r10  \n"
      "smlad  r12, r11, r9, r12  \n"
      "ldr    r2, [sp, #4]       \n"
      "ldm    r2, {r4-r6}        \n"
      REQUANTIZE("r12") REQUANTIZE("r10")
      "ldr    r2, [sp, #8]       \n"
      "ldr    r4, [sp, #16]      \n"
      "strb   r12, [r2, r4]      \n"
      "strb   r10, [r2]          \n"
      NEXT_CHANNEL);
}

/* Two outputs of one row: sums r10, r11. */
EDGEKIT_NAKED static void outputs_stride_2(
    const channel_t *channels __attribute__((unused)), const int32_t *upper __attribute__((unused)),
    const int32_t *lower __attribute__((unused)), const step_t *step __attribute__((unused))) {
  __asm__ volatile(
      ENTER
      "ldrd   r2, r3, [r0], #8   \n"
      "mov    r11, r10           \n"
      "smlad  r10, r2, r4, r10   \n"
      "smlad  r10, r3, r5, r10   \n"
      "ldrd   r2, r3, [r0], #8   \n"
      "smlad  r10, r2, r6, r10   \n"
      "smlad  r11, r2, r4, r11   \n"
      "smlad  r11, r3, r5, r11   \n"
      "ldr    r2, [r0]           \n"
      "smlad  r11, r2, r6, r11   \n"
      "ldrd   r2, r3, [r1], #8   \n"
      "smlabt r10, r2, r7, r10   \n"
      "smlabt r10, r3, r8, r10   \n"
      "ldrd   r2, r3, [r1], #8   \n"
      "smlabt r10, r2, r9, r10   \n"
      "smlabt r11, r2, r7, r11   \n"
      "smlabt r11, r3, r8, r11   \n"
      "ldr    r2, [r1]           \n"
      "smlabt r11, r2, r9, r11   \n"
      "ldr    r2, [sp, #4]       \n"
      "ldm    r2, {r4-r6}        \n"
      REQUANTIZE("r10") REQUANTIZE("r11")
      "ldrd   r2, r3, [sp, #8]   \n"
      "strb   r10, [r2]          \n"
      "strb   r11, [r2, r3]      \n"
      NEXT_OUTPUTS("16")
      "ldr    r2, [sp]           \n" /* one output: sum r10 */
      "ldm    r2, {r4-r10}       \n"
      "ldrd   r2, r3, [r0]       \n"
      "ldr    r11, [r0, #8]      \n"
      "smlad  r10, r2, r4, r10   \n"
      "smlad  r10, r3, r5, r10   \n"
      "smlad  r10, r11, r6, r10  \n"
      "ldrd   r2, r3, [r1]       \n"
      "ldr    r11, [r1, #8]      \n"
      "smlabt r10, r2, r7, r10   \n"
      "smlabt r10, r3, r8, r10   \n"
      "smlabt r10, r11, r9, r10  \n"
      "ldr    r2, [sp, #4]       \n"
      "ldm    r2, {r4-r6}        \n"
      REQUANTIZE("r10")
      "ldr    r2, [sp, #8]       \n"
      "strb   r10, [r2]          \n"
      NEXT_CHANNEL);
}

#else

/* The doubled sum of one output; `second` for the second row. */
static int32_t sum_of(const channel_t *channel, const int32_t *upper, const int32_t *lower,
                      bool second) {
  int32_t sum = channel->bias;
  for (int32_t column = 0; column < 3; column++) {
    const int32_t rows_01 = channel->rows_01[column];
    const int32_t rows_12 = channel->rows_12[column];
    if (second) {
      sum = edgekit_multiply_pair(lower[column], rows_12, sum) +
            edgekit_high(upper[column]) * edgekit_low(rows_01);
    } else {
      sum = edgekit_multiply_pair(upper[column], rows_01, sum) +
            edgekit_low(lower[column]) * edgekit_high(rows_12);
    }
  }
  return sum;
}

static int8_t output_of(const channel_t *channel, int32_t sum) {
  const int32_t rounding = channel->rounding + (sum >> 31);
  const int32_t scaled = edgekit_high_multiply(sum, channel->multiplier, rounding);
  return (int8_t)edgekit_halve_to_int8(scaled >> channel->right_less_1);
}

static void outputs(const channel_t *channels, const int32_t *upper, const int32_t *lower,
                    const step_t *step, int32_t stride) {
  const int32_t word = (int32_t)sizeof(int32_t);
  const int32_t count = step->last / (word * stride) + 2;
  for (int32_t i = 0; i < CHANNELS; i++) {
    const int32_t plane = i * (step->plane / word);
    for (int32_t x = 0; x < count; x++) {
      const int32_t *a = upper + plane + x * stride;
      const int32_t *b = lower + plane + x * stride;
      int8_t *output = step->output + i + x * step->pixel_stride;
      if (stride == 1 && step->row_stride != 0) {
        output[step->row_stride] = output_of(channels + i, sum_of(channels + i, a, b, true));
      }
      *output = output_of(channels + i, sum_of(channels + i, a, b, false));
    }
  }
}

static void outputs_stride_1(const channel_t *channels, const int32_t *upper,
                             const int32_t *lower, const step_t *step) {
  outputs(channels, upper, lower, step, 1);
}

static void outputs_stride_2(const channel_t *channels, const int32_t *upper,
                             const int32_t *lower, const step_t *step) {
  outputs(channels, upper, lower, step, 2);
}

#endif

static void load_channel(const edgekit_depthwise_conv_2d_3x3_dsp_t *op, int32_t index,
                         channel_t *channel) {
  const int8_t *weights = op->weights + index;
  for (int32_t column = 0; column < 3; column++) {
    const int32_t row_0 = 2 * weights[0];
    const int32_t row_1 = 2 * weights[3 * op->depth];
    const int32_t row_2 = 2 * weights[6 * op->depth];
    channel->rows_01[column] = edgekit_pack_low(row_0, row_1);
    channel->rows_12[column] = edgekit_pack_low(row_1, row_2);
    weights += op->depth;
  }
  channel->bias = 2 * op->bias[index];
  channel->multiplier = op->multiplier[index];
  channel->right_less_1 = op->right_shift[index] - 1;
  channel->rounding = (2 * op->output_zero_point + 1) * (1 << channel->right_less_1);
}

/* What packing every pair of rows has in common; columns of a plane: left, inside, right. */
typedef struct {
  int32_t height;
  int32_t row_bytes;
  int32_t depth;
  int32_t plane; /* words */
  int32_t left;
  int32_t inside;
  int32_t right;
  int32_t nothing; /* the zero point, twice */
  int8_t outside[CHANNELS];
} packer_t;

static packer_t packer_of(const edgekit_depthwise_conv_2d_3x3_dsp_t *op) {
  const int8_t outside = (int8_t)op->input_zero_point;
  const int32_t plane = (op->output_width - 1) * op->stride + 3;
  const int32_t room = plane - op->pad_width;
  const int32_t inside = op->input_width < room ? op->input_width : room;
  const packer_t packer = {op->input_height, op->input_width * op->depth, op->depth, plane,
                           op->pad_width, inside, room - inside,
                           edgekit_pack_low(outside, outside),
                           {outside, outside, outside, outside}};
  return packer;
}

static inline int32_t *fill(int32_t *target, int32_t count, int32_t plane, int32_t value) {
  for (; count > 0; count--) {
    target[0] = value;
    target[plane] = value;
    target[2 * plane] = value;
    target[3 * plane] = value;
    target++;
  }
  return target;
}

/* Rows y and y + 1 of four channels of an image, the zero point where they lie outside. */
EDGEKIT_NOINLINE
static void pack_rows(const packer_t *packer, const int8_t *image, int32_t y, int32_t *target) {
  const int32_t plane = packer->plane;
  const int8_t *row_0 = packer->outside;
  const int8_t *row_1 = packer->outside;
  int32_t step_0 = 0;
  int32_t step_1 = 0;
  image += y * packer->row_bytes;
  if (y >= 0 && y < packer->height) {
    row_0 = image;
    step_0 = packer->depth;
  }
  if (y + 1 >= 0 && y + 1 < packer->height) {
    row_1 = image + packer->row_bytes;
    step_1 = packer->depth;
  }
  int32_t *next = fill(target, packer->left, plane, packer->nothing);
  for (int32_t i = packer->inside; i > 0; i--) {
    const uint32_t word_0 = edgekit_load4(row_0);
    const uint32_t word_1 = edgekit_load4(row_1);
    const int32_t even_0 = edgekit_even_bytes(word_0);
    const int32_t even_1 = edgekit_even_bytes(word_1);
    const int32_t odd_0 = edgekit_odd_bytes(word_0);
    const int32_t odd_1 = edgekit_odd_bytes(word_1);
    next[0] = edgekit_pack_low(even_0, even_1);
    next[plane] = edgekit_pack_low(odd_0, odd_1);
    next[2 * plane] = edgekit_pack_high(even_0, even_1);
    next[3 * plane] = edgekit_pack_high(odd_0, odd_1);
    row_0 += step_0;
    row_1 += step_1;
    next++;
  }
  fill(next, packer->right, plane, packer->nothing);
}

/* Four channels of one image; input and output point to the first of them. */
static void block(const edgekit_depthwise_conv_2d_3x3_dsp_t *op, const packer_t *packer,
                  const channel_t *channels, const int8_t *input, int8_t *output,
                  int32_t *packed) {
  const int32_t plane = packer->plane;
  const int32_t word = (int32_t)sizeof(int32_t);
  const int32_t output_row = op->output_width * op->depth;
  const int32_t rows = op->stride == 1 ? 2 : 1;
  int32_t *upper = packed;
  int32_t *lower = packed + CHANNELS * plane;
  int32_t y = -op->pad_height;
  step_t step = {output, op->depth, output_row, (op->output_width - 2) * op->stride * word,
                 plane * word};
  pack_rows(packer, input, y, upper);
  for (int32_t row = 0; row < op->output_height; row += rows) {
    y += 2;
    pack_rows(packer, input, y, lower);
    if (row + rows > op->output_height) {
      step.row_stride = 0;
    }
    if (op->stride == 1) {
      outputs_stride_1(channels, upper, lower, &step);
    } else {
      outputs_stride_2(channels, upper, lower, &step);
    }
    step.output += rows * output_row;
    int32_t *const done = upper;
    upper = lower;
    lower = done;
  }
}

void edgekit_depthwise_conv_2d_3x3_s8_dsp(const edgekit_depthwise_conv_2d_3x3_dsp_t *op,
                                          const int8_t *input, int8_t *output, void *scratch) {
  const packer_t packer = packer_of(op);
  channel_t *channels = scratch;
  int32_t *packed = (int32_t *)(channels + CHANNELS);
  const int32_t input_size = op->input_height * op->input_width * op->depth;
  const int32_t output_size = op->output_height * op->output_width * op->depth;
  for (int32_t channel = 0; channel < op->depth; channel += CHANNELS) {
    /* The last four may overlap the four before: the same outputs again. */
    const int32_t first = channel + CHANNELS <= op->depth ? channel : op->depth - CHANNELS;
    for (int32_t i = 0; i < CHANNELS; i++) {
      load_channel(op, first + i, channels + i);
    }
    for (int32_t batch = 0; batch < op->batches; batch++) {
      block(op, &packer, channels, input + batch * input_size + first,
            output + batch * output_size + first, packed);
    }
  }
  edgekit_clamp_s8(output, op->batches * output_size, op->activation_min, op->activation_max);
}
