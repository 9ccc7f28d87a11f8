/* SPDX-License-Identifier: 0BSD
 * The link of templates/app/ on standard input and output, with a model that adds one.
 */
#include <stdio.h>

#include "board.h"
#include "link.h"

static uint8_t first[20], second[700], sums[300], log_of_ops[2][5];

static int ended;

int board_getc(void)
{
    const int c = getchar();
    ended = c == EOF;
    return ended ? -1 : c;
}

void board_putc(char c)
{
    (void)putchar(c);
}

static uint32_t ticks;

uint32_t board_cycles(void)
{
    return ticks += 3000000u;
}

/* The sanitizers have the stack: it is not painted here. */
void *board_stack_limit(void)
{
    return NULL;
}

static void *input_at(int index)
{
    return index == 0 ? first : second;
}

static const void *output_at(int index)
{
    (void)index;
    return sums;
}

static int invoke(void)
{
    for (unsigned i = 0; i < sizeof(sums); i++) {
        sums[i] = (uint8_t)(second[i] + first[i % sizeof(first)] + 1u);
    }
    return first[0] == 77u ? 1 : 0;
}

static int invoke_until(int op)
{
    for (unsigned i = 0; i < 5u; i++) {
        log_of_ops[op][i] = (uint8_t)(first[i] + (unsigned)op);
    }
    return 0;
}

static int invoke_op(int op)
{
    ticks += 1000u * ((uint32_t)op + 1u);
    return 0;
}

static const void *op_output(int op, size_t *bytes)
{
    *bytes = sizeof(log_of_ops[op]);
    return log_of_ops[op];
}

static const uint32_t input_bytes[] = {sizeof(first), sizeof(second)};
static const uint32_t output_bytes[] = {sizeof(sums)};

int main(void)
{
    const struct link_model model = {
        .board = "harness",
        .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        .op_count = 2, .input_count = 2, .output_count = 1,
        .input_bytes = input_bytes, .output_bytes = output_bytes,
        .input_at = input_at, .output_at = output_at, .invoke = invoke,
        .invoke_until = invoke_until, .invoke_op = invoke_op, .op_output = op_output};
    link_hello(&model);
    do {
        (void)link_serve(&model);
    } while (!ended);
    return 0;
}
