/* SPDX-License-Identifier: 0BSD
 * One inference whose result is known, checked at start-up.
 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first byte that differs; `status` is not 0 where the inference itself failed. */
struct selftest_difference {
    int status;
    uint32_t output, index;
    uint8_t expected, got;
};

/* 1 where every output byte is the expected one; else 0, and `found` says which is not. */
int selftest(struct selftest_difference *found);

#ifdef __cplusplus
}
#endif

#endif
