/* Reset to edgekit_ready on RV32. */
#include <stdint.h>

extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];

void edgekit_ready(void);
__attribute__((noinline)) void edgekit_ready(void) { __asm__ volatile("" ::: "memory"); }

__attribute__((used)) void start(void)
{
    for (uint8_t *to = __data_start, *from = __data_load; to < __data_end;) {
        *to++ = *from++;
    }
    for (uint8_t *to = __bss_start; to < __bss_end;) {
        *to++ = 0;
    }
    for (const char *text = "uart\n"; *text; text++) {
        *(volatile uint8_t *)UART = (uint8_t)*text;
    }
    edgekit_ready();
    for (;;) {
    }
}

__attribute__((naked, section(".vectors"), used)) void _start(void)
{
    __asm__ volatile("la sp, __stack_top\n\tj start");
}

void *memset(void *to, int value, unsigned n) { for (uint8_t *p = to; n--;) *p++ = (uint8_t)value; return to; }
