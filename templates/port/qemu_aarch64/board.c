/* SPDX-License-Identifier: 0BSD
 * QEMU's machine `virt` with a 64-bit core: a PL011, and semihosting for the end.
 */
#include "board.h"

#define UART_DATA (*(volatile uint32_t *)BOARD_UART_BASE)
#define UART_FLAGS (*(volatile uint32_t *)(BOARD_UART_BASE + 0x18u))
#define UART_CONTROL (*(volatile uint32_t *)(BOARD_UART_BASE + 0x30u))
#define FLAG_RX_EMPTY 0x10u
#define FLAG_TX_FULL 0x20u
#define CONTROL_ENABLE 0x301u /* the UART, its transmitter and its receiver */

#define SYS_EXIT 0x18u
#define APPLICATION_EXIT 0x20026u

void board_init(void)
{
    UART_CONTROL = CONTROL_ENABLE;
}

void board_putc(char c)
{
    for (uint32_t spin = 0; (UART_FLAGS & FLAG_TX_FULL) != 0u && spin < 100000u; spin++) {
    }
    UART_DATA = (uint8_t)c;
}

int board_getc(void)
{
    return (UART_FLAGS & FLAG_RX_EMPTY) == 0u ? (int)(UART_DATA & 0xFFu) : -1;
}

void board_exit(int code)
{
#if EDGEKIT_EMULATED
    const uint64_t block[2] = { APPLICATION_EXIT, (uint64_t)code };
    register uint64_t operation __asm__("x0") = SYS_EXIT;
    register const uint64_t *argument __asm__("x1") = block;
    __asm__ volatile("hlt #0xf000" : : "r"(operation), "r"(argument) : "memory");
#else
    (void)code;
#endif
    for (;;) {
        __asm__ volatile("wfi");
    }
}

uint32_t board_cycles(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return (uint32_t)ticks;
}
