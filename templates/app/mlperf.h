/* SPDX-License-Identifier: 0BSD
 * MLPerf Tiny's text protocol, so that its runners drive this firmware: commands that end with '%',
 * answers in lines, the last of which is m-ready.
 *
 *   name  profile  timestamp  help  db load N  db HEX  db print  infer N [WARM-UPS]  results
 */
#ifndef MLPERF_H
#define MLPERF_H

#include <stdint.h>

/* What the runner sends of each benchmark: the tensor's bytes (kws01), bytes of an image from 0 to
 * 255 (vww01, ic01), or floats, whose squared distance from the output is the result (ad01). */
enum mlperf_kind { MLPERF_TENSOR, MLPERF_IMAGE, MLPERF_FLOATS };

/* One int8 input of `size` elements, one output of `outputs`. */
struct mlperf_model {
    const char *benchmark; /* kws01, vww01, ic01, ad01 */
    enum mlperf_kind kind;
    uint8_t *received; /* what the runner sent: `size` bytes, or as many floats */
    int8_t *tensor;    /* `size`: the input of every inference, since one overwrites its input */
    uint32_t size, outputs;
    int (*infer)(const int8_t *tensor);
    float (*output)(uint32_t index);
    int8_t (*quantize)(float value);
};

/* Serves a runner for ever. */
void mlperf_serve(const struct mlperf_model *model);

#endif
