/* SPDX-License-Identifier: 0BSD */
#include "edgekit_dsp.h"

#include "add_dsp.h"

#define INPUT1_STEP (1 << 20)

typedef struct {
  const int32_t *table; /* at the value 0 */
  int32_t multiplier;
  int32_t rounding;
  int32_t right_less_1;
} rescale_t;

static inline int8_t add(rescale_t r, int32_t value1, int32_t value2) {
  const int32_t sum = r.table[value2] + value1 * INPUT1_STEP;
  const int32_t rounding = r.rounding + (sum >> 31);
  const int32_t scaled = edgekit_high_multiply(sum, r.multiplier, rounding);
  return (int8_t)edgekit_halve_to_int8(scaled >> r.right_less_1);
}

void edgekit_add_s8_dsp(const edgekit_add_dsp_t *op, const int8_t *input1, const int8_t *input2,
                        int8_t *output) {
  const int32_t right_less_1 = op->output_right_shift - 1;
  const rescale_t r = {op->input2_table + 128, op->output_multiplier,
                       (2 * op->output_zero_point + 1) * (1 << right_less_1), right_less_1};
  const int32_t count = op->count;
  const int8_t *const end = input1 + count / 4 * 4;
  int8_t *next = output;
  while (input1 < end) {
    next[0] = add(r, input1[0], input2[0]);
    next[1] = add(r, input1[1], input2[1]);
    next[2] = add(r, input1[2], input2[2]);
    next[3] = add(r, input1[3], input2[3]);
    input1 += 4;
    input2 += 4;
    next += 4;
  }
  for (int32_t i = 0; i < count % 4; i++) {
    next[i] = add(r, input1[i], input2[i]);
  }
  edgekit_clamp_s8(output, count, op->activation_min, op->activation_max);
}
