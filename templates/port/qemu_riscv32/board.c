/* SPDX-License-Identifier: 0BSD
 * QEMU's machine `virt`: an ns16550 and a device that ends the emulator.
 */
#include "board.h"

#define UART ((volatile uint8_t *)BOARD_UART_BASE)
#define UART_LINE_STATUS 5
#define LINE_STATUS_DATA 0x01u
#define LINE_STATUS_TX_EMPTY 0x20u

#define TEST_DEVICE (*(volatile uint32_t *)0x00100000u)
#define TEST_PASS 0x5555u
#define TEST_FAIL 0x3333u

void board_init(void)
{
}

void board_putc(char c)
{
    for (uint32_t spin = 0;
         (UART[UART_LINE_STATUS] & LINE_STATUS_TX_EMPTY) == 0u && spin < 100000u; spin++) {
    }
    UART[0] = (uint8_t)c;
}

int board_getc(void)
{
    return (UART[UART_LINE_STATUS] & LINE_STATUS_DATA) != 0u ? UART[0] : -1;
}

void board_exit(int code)
{
#if EDGEKIT_EMULATED
    TEST_DEVICE = code == 0 ? TEST_PASS : ((uint32_t)code << 16) | TEST_FAIL;
#else
    (void)code;
#endif
    for (;;) {
        __asm__ volatile("wfi");
    }
}

uint32_t board_cycles(void)
{
    uint32_t cycles;
    __asm__ volatile(".option push\n\t.option arch, +zicsr\n\t"
                     "csrr %0, mcycle\n\t.option pop" : "=r"(cycles));
    return cycles;
}
