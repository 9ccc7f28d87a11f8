/* SPDX-License-Identifier: 0BSD
 * RP2040 without the pico-sdk: 125 MHz from the 12 MHz crystal, UART0 on GP0 and GP1.
 */
#include "board.h"

#include "cortexm.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define RESETS_RESET_CLEAR REG(0x4000F000u) /* the register's atomic-clear alias */
#define RESETS_DONE REG(0x4000C008u)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_UART0 (1u << 22)

#define CLK_REF_CTRL REG(0x40008030u)
#define CLK_REF_SELECTED REG(0x40008038u)
#define CLK_SYS_CTRL REG(0x4000803Cu)
#define CLK_SYS_SELECTED REG(0x40008044u)
#define CLK_PERI_CTRL REG(0x40008048u)

#define XOSC_CTRL REG(0x40024000u)
#define XOSC_STATUS REG(0x40024004u)
#define XOSC_STARTUP REG(0x4002400Cu)
#define XOSC_STABLE (1u << 31)

#define PLL_CS REG(0x40028000u)
#define PLL_PWR REG(0x40028004u)
#define PLL_FBDIV REG(0x40028008u)
#define PLL_PRIM REG(0x4002800Cu)
#define PLL_LOCK (1u << 31)

#define WATCHDOG_TICK REG(0x4005802Cu)
#define TIMER_RAW_LOW REG(0x40054028u)

#define SYSTICK_CONTROL REG(0xE000E010u)
#define SYSTICK_RELOAD REG(0xE000E014u)
#define SYSTICK_VALUE REG(0xE000E018u)
#define SYSTICK_MAX 0xFFFFFFu

#define GPIO0_CTRL REG(0x40014004u)
#define GPIO1_CTRL REG(0x4001400Cu)
#define FUNCTION_UART 2u

#define UART_DR REG(BOARD_UART_BASE + 0x00u)
#define UART_FR REG(BOARD_UART_BASE + 0x18u)
#define UART_IBRD REG(BOARD_UART_BASE + 0x24u)
#define UART_FBRD REG(BOARD_UART_BASE + 0x28u)
#define UART_LCR_H REG(BOARD_UART_BASE + 0x2Cu)
#define UART_CR REG(BOARD_UART_BASE + 0x30u)
#define FR_RX_EMPTY (1u << 4)
#define FR_TX_FULL (1u << 5)

#define MHZ 1000000u
#define CRYSTAL_MHZ 12u

static void wait_for(volatile uint32_t *reg, uint32_t bits)
{
    for (uint32_t spin = 0; (*reg & bits) != bits && spin < 100000u; spin++) {
    }
}

static void out_of_reset(uint32_t blocks)
{
    RESETS_RESET_CLEAR = blocks;
    wait_for(&RESETS_DONE, blocks);
}

static void clock_125_mhz(void)
{
    XOSC_CTRL = 0xAA0u; /* 1 to 15 MHz */
    XOSC_STARTUP = 47u; /* times 256 cycles: 1 ms */
    XOSC_CTRL = (0xFABu << 12) | 0xAA0u;
    wait_for(&XOSC_STATUS, XOSC_STABLE);
    CLK_REF_CTRL = 2u; /* the crystal */
    wait_for(&CLK_REF_SELECTED, 1u << 2);

    /* 12 MHz * 125 / 6 / 2 = 125 MHz. */
    out_of_reset(RESET_PLL_SYS);
    PLL_CS = 1u;
    PLL_FBDIV = 125u;
    PLL_PWR = (1u << 3) | (1u << 2); /* VCO and PLL on, post dividers off */
    wait_for(&PLL_CS, PLL_LOCK);
    PLL_PRIM = (6u << 16) | (2u << 12);
    PLL_PWR = 1u << 2;

    CLK_SYS_CTRL = 1u; /* the auxiliary source: the PLL */
    wait_for(&CLK_SYS_SELECTED, 1u << 1);
    CLK_PERI_CTRL = 1u << 11; /* enabled, from the system clock */
    WATCHDOG_TICK = (1u << 9) | CRYSTAL_MHZ; /* the timer's microsecond */
}

static void uart_init(void)
{
    const uint32_t divider = (8u * BOARD_CLOCK_HZ / BOARD_BAUD + 1u) / 2u; /* in 1/64 */
    out_of_reset(RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
    GPIO0_CTRL = FUNCTION_UART;
    GPIO1_CTRL = FUNCTION_UART;
    UART_IBRD = divider >> 6;
    UART_FBRD = divider & 63u;
    UART_LCR_H = (3u << 5) | (1u << 4); /* 8 bits, FIFOs */
    UART_CR = (1u << 9) | (1u << 8) | 1u;
}

static uint32_t coarse_at_start;

static void counter_init(void)
{
    SYSTICK_RELOAD = SYSTICK_MAX;
    SYSTICK_VALUE = 0u; /* any write clears it: it starts from the top */
    SYSTICK_CONTROL = 5u; /* enabled, the processor's clock, no interrupt */
    coarse_at_start = TIMER_RAW_LOW * (BOARD_CLOCK_HZ / MHZ);
}

void board_init(void)
{
    clock_125_mhz();
    uart_init();
    counter_init();
}

void board_putc(char c)
{
    for (uint32_t spin = 0; (UART_FR & FR_TX_FULL) != 0u && spin < 100000u; spin++) {
    }
    UART_DR = (uint8_t)c;
}

int board_getc(void)
{
    return (UART_FR & FR_RX_EMPTY) == 0u ? (int)(UART_DR & 0xFFu) : -1;
}

void board_exit(int code)
{
    cortexm_exit(code);
}

/* The M0+ has no cycle counter. SysTick counts cycles, but 24 bits of them; the microsecond timer,
 * from the same crystal, says which of the numbers with these 24 bits it is. */
uint32_t board_cycles(void)
{
    const uint32_t coarse = TIMER_RAW_LOW * (BOARD_CLOCK_HZ / MHZ) - coarse_at_start;
    const uint32_t fine = SYSTICK_MAX - SYSTICK_VALUE;
    return coarse + ((fine - coarse + SYSTICK_MAX / 2u) & SYSTICK_MAX) - SYSTICK_MAX / 2u;
}
