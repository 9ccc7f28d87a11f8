/* Reset to edgekit_ready on a Cortex-M: copies .data, says hello, and ends by semihosting. */
#include <stdint.h>

extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[], __stack_top[];
int m_invoke(void);
int main(void);

void edgekit_ready(void);
__attribute__((noinline)) void edgekit_ready(void) { __asm__ volatile("" ::: "memory"); }

static int semihost(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void reset(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    for (uint8_t *to = __data_start, *from = __data_load; to < __data_end;) {
        *to++ = *from++;
    }
    for (uint8_t *to = __bss_start; to < __bss_end;) {
        *to++ = 0;
    }
    main();
    semihost(0x18, (void *)0x20026);
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) const void *vectors[16] = {__stack_top, (void *)reset};

void *memset(void *to, int value, unsigned n) { for (uint8_t *p = to; n--;) *p++ = (uint8_t)value; return to; }

int main(void)
{
    while (*(volatile uint32_t *)0x40004004u & 1u) { /* a wait for a bit that must become 0 */
    }
    for (const char *text = "uart\n"; *text; text++) {
        *(volatile uint32_t *)0x40004000u = (uint32_t)*text;
    }
    semihost(0x04, "semihosting\n");
    edgekit_ready();
    const int status = m_invoke();
    __asm__ volatile("" ::: "memory"); /* no tail call: QEMU's log is read up to here */
    return status;
}
