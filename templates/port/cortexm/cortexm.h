/* SPDX-License-Identifier: 0BSD
 * How Cortex-M firmware ends and counts, the same on every vendor's part.
 */
#ifndef CORTEXM_H
#define CORTEXM_H

#include <stdint.h>

_Noreturn void cortexm_exit(int code);

/* DWT's cycle counter; Cortex-M0 and M0+ have none. */
uint32_t cortexm_cycles(void);

#endif
