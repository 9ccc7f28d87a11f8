/* SPDX-License-Identifier: 0BSD
 * A Linux program: standard output, exit code, and the monotonic clock.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void board_init(void)
{
}

void board_putc(char c)
{
    (void)putchar(c);
    if (c == '\n') {
        (void)fflush(stdout);
    }
}

void board_exit(int code)
{
    exit(code);
}

/* User space has no cycle counter that is always there: nanoseconds stand for cycles. */
uint32_t board_cycles(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
}
