/* SPDX-License-Identifier: 0BSD */
#include "start.h"

#include "board.h"

typedef void (*constructor)(void);

/* Addresses that link.ld defines; none of them is a variable. */
extern uint8_t __stack_limit[];
extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern const constructor __init_array_start[], __init_array_end[];

int main(void);

void *board_stack_limit(void)
{
    return __stack_limit;
}

_Noreturn void start(void)
{
    memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start));
    memset(__bss_start, 0, (size_t)(__bss_end - __bss_start));
    for (const constructor *call = __init_array_start; call < __init_array_end; call++) {
        (*call)();
    }
    board_exit(main());
}
