/* SPDX-License-Identifier: 0BSD
 * A Linux program: standard input and output, exit code, and the monotonic clock.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, poll, read */

#include "board.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Reads without data before one of them may take a millisecond, or an idle link burns a core. */
#define EAGER_READS 10000

#define STACK_LOOKED_AT 65536u /* bytes */

static unsigned char input[256];
static ssize_t input_next, input_end;
static int eager = EAGER_READS;

void board_init(void)
{
}

/* A line and a frame of the link go out when they are complete. */
void board_putc(char c)
{
    (void)putchar(c);
    if (c == '\n' || c == '\0') {
        (void)fflush(stdout);
    }
}

static void read_input(void)
{
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};
    input_next = input_end = 0;
    if (poll(&in, 1, EDGEKIT_EMULATED && eager == 0 ? 1 : 0) <= 0) {
        eager -= eager > 0;
        return;
    }
    input_end = read(STDIN_FILENO, input, sizeof(input));
    eager = EAGER_READS;
#if EDGEKIT_EMULATED
    if (input_end <= 0) {
        board_exit(0); /* whoever talked to this program is gone */
    }
#endif
}

int board_getc(void)
{
    if (input_next >= input_end) {
        read_input();
    }
    return input_next < input_end ? input[input_next++] : -1;
}

/* A process's stack grows on demand, to megabytes: looked at is what lies close. */
void *board_stack_limit(void)
{
    return (void *)((uintptr_t)__builtin_frame_address(0) - STACK_LOOKED_AT);
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
