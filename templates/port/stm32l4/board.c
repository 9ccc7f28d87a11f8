/* SPDX-License-Identifier: 0BSD
 * STM32L4+: 120 MHz from the internal MSI oscillator, LPUART1 on PG7 and PG8 (RM0432).
 */
#include "board.h"

#include "cortexm.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define FLASH_ACR REG(0x40022000u)
#define PWR_CR2 REG(0x40007004u)
#define PWR_CR5 REG(0x40007080u)
#define RCC_CR REG(0x40021000u)
#define RCC_CFGR REG(0x40021008u)
#define RCC_PLLCFGR REG(0x4002100Cu)
#define RCC_AHB2ENR REG(0x4002104Cu)
#define RCC_APB1ENR1 REG(0x40021058u)
#define RCC_APB1ENR2 REG(0x4002105Cu)
#define GPIOG_MODER REG(0x48001800u)
#define GPIOG_AFRL REG(0x48001820u)
#define GPIOG_AFRH REG(0x48001824u)
#define LPUART_CR1 REG(BOARD_UART_BASE + 0x00u)
#define LPUART_BRR REG(BOARD_UART_BASE + 0x0Cu)
#define LPUART_ISR REG(BOARD_UART_BASE + 0x1Cu)
#define LPUART_ICR REG(BOARD_UART_BASE + 0x20u)
#define LPUART_RDR REG(BOARD_UART_BASE + 0x24u)
#define LPUART_TDR REG(BOARD_UART_BASE + 0x28u)

#define ISR_ORE (1u << 3)
#define ISR_RXNE (1u << 5)
#define ISR_TXE (1u << 7)

/* Until all bits of `mask` read as `value`, or a bound that is far beyond the slowest oscillator. */
static void wait_for(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    for (uint32_t spin = 0; (*reg & mask) != value && spin < 100000u; spin++) {
    }
}

static void clock_120_mhz(void)
{
    RCC_APB1ENR1 |= 1u << 28; /* PWR */
    (void)RCC_APB1ENR1;
    PWR_CR5 &= ~(1u << 8); /* R1MODE 0: range 1 boost, needed above 80 MHz */
    FLASH_ACR = (1u << 10) | (1u << 9) | (1u << 8) | 5u; /* caches, prefetch, 5 wait states */
    wait_for(&FLASH_ACR, 15u, 5u);

    /* MSI 4 MHz / 1 * 60 / 2 = 120 MHz. */
    RCC_PLLCFGR = (1u << 24) | (60u << 8) | 1u;
    RCC_CR |= 1u << 24;
    wait_for(&RCC_CR, 1u << 25, 1u << 25);

    /* Through 60 MHz, as RM0432 asks of a step beyond 80 MHz. */
    RCC_CFGR = (8u << 4) | 3u;
    wait_for(&RCC_CFGR, 3u << 2, 3u << 2);
    for (volatile uint32_t spin = 0; spin < 100u; spin++) {
    }
    RCC_CFGR = 3u;
}

static void lpuart_init(void)
{
    PWR_CR2 |= 1u << 9; /* IOSV: PG2 to PG15 have their own supply */
    RCC_AHB2ENR |= 1u << 6;
    RCC_APB1ENR2 |= 1u << 0;
    (void)RCC_APB1ENR2;
    GPIOG_AFRL = (GPIOG_AFRL & ~(15u << 28)) | (8u << 28);
    GPIOG_AFRH = (GPIOG_AFRH & ~15u) | 8u;
    GPIOG_MODER = (GPIOG_MODER & ~(15u << 14)) | (10u << 14);
    LPUART_BRR = (uint32_t)((256ull * BOARD_CLOCK_HZ + BOARD_BAUD / 2u) / BOARD_BAUD);
    LPUART_CR1 = (1u << 29) | (1u << 3) | (1u << 2) | 1u; /* FIFOs, TE, RE, UE */
}

void board_init(void)
{
    clock_120_mhz();
    lpuart_init();
}

void board_putc(char c)
{
    wait_for(&LPUART_ISR, ISR_TXE, ISR_TXE);
    LPUART_TDR = (uint8_t)c;
}

int board_getc(void)
{
    const uint32_t state = LPUART_ISR;
    if ((state & ISR_ORE) != 0u) {
        LPUART_ICR = ISR_ORE; /* bytes were lost; those that are here are right */
    }
    return (state & ISR_RXNE) != 0u ? (int)(LPUART_RDR & 0xFFu) : -1;
}

void board_exit(int code)
{
    cortexm_exit(code);
}

uint32_t board_cycles(void)
{
    return cortexm_cycles();
}
