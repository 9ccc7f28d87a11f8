/* SPDX-License-Identifier: 0BSD
 * ESP32-C6 without ESP-IDF: UART0 and the clock as the ROM leaves them, watchdogs off.
 */
#include "board.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define UART_FIFO REG(BOARD_UART_BASE + 0x00u)
#define UART_STATUS REG(BOARD_UART_BASE + 0x1Cu)
#define TX_FIFO_COUNT(status) (((status) >> 16) & 0x3FFu)
#define TX_FIFO_SIZE 128u
#define RX_FIFO_COUNT(status) ((status) & 0x3FFu)

#define TIMG0_WDT_CONFIG REG(0x60008048u)
#define TIMG0_WDT_PROTECT REG(0x60008064u)
#define LP_WDT_CONFIG REG(0x600B1C00u)
#define LP_WDT_PROTECT REG(0x600B1C18u)
#define LP_SWD_CONFIG REG(0x600B1C1Cu)
#define LP_SWD_PROTECT REG(0x600B1C20u)
#define WDT_KEY 0x50D83AA1u

/* "Direct boot": the ROM maps flash that begins with this word twice, and jumps behind it. */
__attribute__((section(".boot"), used)) static const uint32_t direct_boot[2] = {0xAEDB041Du,
                                                                               0xAEDB041Du};

static void watchdogs_off(void)
{
    TIMG0_WDT_PROTECT = WDT_KEY;
    TIMG0_WDT_CONFIG = 0;
    LP_WDT_PROTECT = WDT_KEY;
    LP_WDT_CONFIG = 0;
    LP_SWD_PROTECT = WDT_KEY;
    LP_SWD_CONFIG |= 1u << 18; /* feeds itself */
}

void board_init(void)
{
    watchdogs_off();
}

void board_putc(char c)
{
    for (uint32_t spin = 0;
         TX_FIFO_COUNT(UART_STATUS) >= TX_FIFO_SIZE - 1u && spin < 100000u; spin++) {
    }
    UART_FIFO = (uint8_t)c;
}

int board_getc(void)
{
    return RX_FIFO_COUNT(UART_STATUS) != 0u ? (int)(UART_FIFO & 0xFFu) : -1;
}

void board_exit(int code)
{
    (void)code;
    for (;;) {
        __asm__ volatile("wfi");
    }
}

/* As the C3, it has no mcycle: its performance counter is at 0x7e0 to 0x7e2 (event 1 is cycles). */
uint32_t board_cycles(void)
{
    uint32_t cycles;
    __asm__ volatile(".option push\n\t.option arch, +zicsr\n\t"
                     "csrwi 0x7e0, 1\n\tcsrwi 0x7e1, 1\n\t"
                     "csrr %0, 0x7e2\n\t.option pop" : "=r"(cycles));
    return cycles;
}
