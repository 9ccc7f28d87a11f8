#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t k_cycle_get_32(void)
{
    return 0;
}

uint32_t k_cyc_to_us_floor32(uint32_t cycles)
{
    return cycles;
}

/* Where the application waits, the stand-in ends. */
int32_t k_msleep(int32_t ms)
{
    exit(ms > 0 ? 0 : 2);
}

void printk(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}
