/* SPDX-License-Identifier: 0BSD
 * ESP32-C3 without ESP-IDF: UART0 as the ROM leaves it, watchdogs off.
 */
#include "board.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define UART_FIFO REG(BOARD_UART_BASE + 0x00u)
#define UART_STATUS REG(BOARD_UART_BASE + 0x1Cu)
#define TX_FIFO_COUNT(status) (((status) >> 16) & 0x3FFu)
#define TX_FIFO_SIZE 128u
#define RX_FIFO_COUNT(status) ((status) & 0x3FFu)

#define SYSTEM_CPU_PER_CONF REG(0x600C0008u)
#define SYSTEM_SYSCLK_CONF REG(0x600C0058u)

#define TIMG0_WDT_CONFIG REG(0x6001F048u)
#define TIMG0_WDT_PROTECT REG(0x6001F064u)
#define RTC_WDT_CONFIG REG(0x60008090u)
#define RTC_WDT_PROTECT REG(0x600080A8u)
#define RTC_SWD_CONFIG REG(0x600080ACu)
#define RTC_SWD_PROTECT REG(0x600080B0u)
#define WDT_KEY 0x50D83AA1u
#define SWD_KEY 0x8F1D312Au

/* "Direct boot": the ROM maps flash that begins with this word twice, and jumps behind it. */
__attribute__((section(".boot"), used)) static const uint32_t direct_boot[2] = {0xAEDB041Du,
                                                                               0xAEDB041Du};

static void watchdogs_off(void)
{
    TIMG0_WDT_PROTECT = WDT_KEY;
    TIMG0_WDT_CONFIG = 0;
    RTC_WDT_PROTECT = WDT_KEY;
    RTC_WDT_CONFIG = 0;
    RTC_SWD_PROTECT = SWD_KEY;
    RTC_SWD_CONFIG |= 1u << 31; /* feeds itself */
}

void board_init(void)
{
    watchdogs_off();
    /* The PLL runs at 480 MHz when the ROM hands over: divide to 160 MHz, select the PLL. */
    SYSTEM_CPU_PER_CONF = (SYSTEM_CPU_PER_CONF & ~3u) | 1u;
    SYSTEM_SYSCLK_CONF = (SYSTEM_SYSCLK_CONF & ~(3u << 10)) | (1u << 10);
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

/* The C3 has no mcycle: its performance counter is at 0x7e0 to 0x7e2 (event 1 is cycles). */
uint32_t board_cycles(void)
{
    uint32_t cycles;
    __asm__ volatile(".option push\n\t.option arch, +zicsr\n\t"
                     "csrwi 0x7e0, 1\n\tcsrwi 0x7e1, 1\n\t"
                     "csrr %0, 0x7e2\n\t.option pop" : "=r"(cycles));
    return cycles;
}
