/* SPDX-License-Identifier: 0BSD
 * STM32F446: 180 MHz from the internal oscillator, USART2 on PA2 and PA3 (RM0390).
 */
#include "board.h"

#include "cortexm.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define PWR_CR REG(0x40007000u)
#define PWR_CSR REG(0x40007004u)
#define RCC_CR REG(0x40023800u)
#define RCC_PLLCFGR REG(0x40023804u)
#define RCC_CFGR REG(0x40023808u)
#define RCC_AHB1ENR REG(0x40023830u)
#define RCC_APB1ENR REG(0x40023840u)
#define FLASH_ACR REG(0x40023C00u)
#define GPIOA_MODER REG(0x40020000u)
#define GPIOA_AFRL REG(0x40020020u)
#define USART_SR REG(BOARD_UART_BASE + 0x00u)
#define USART_DR REG(BOARD_UART_BASE + 0x04u)
#define USART_BRR REG(BOARD_UART_BASE + 0x08u)
#define USART_CR1 REG(BOARD_UART_BASE + 0x0Cu)

#define PLL_ON (1u << 24)
#define PLL_READY (1u << 25)
#define OVER_DRIVE (1u << 16)
#define OVER_DRIVE_SWITCH (1u << 17)
#define SR_RXNE (1u << 5)
#define SR_TXE (1u << 7)

/* Until all bits of `mask` read as `value`, or a bound that is far beyond the slowest
 * oscillator: an emulator whose clock registers read as 0 gets through. */
static void wait_for(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    for (uint32_t spin = 0; (*reg & mask) != value && spin < 100000u; spin++) {
    }
}

static void clock_180_mhz(void)
{
    RCC_APB1ENR |= 1u << 28; /* PWR */
    (void)RCC_APB1ENR;
    PWR_CR |= 3u << 14; /* scale 1 */

    /* HSI 16 MHz / 8 * 180 / 2 = 180 MHz. */
    RCC_PLLCFGR = (2u << 28) | (8u << 24) | (180u << 6) | 8u;
    RCC_CR |= PLL_ON;
    PWR_CR |= OVER_DRIVE; /* above 168 MHz */
    wait_for(&PWR_CSR, OVER_DRIVE, OVER_DRIVE);
    PWR_CR |= OVER_DRIVE_SWITCH;
    wait_for(&PWR_CSR, OVER_DRIVE_SWITCH, OVER_DRIVE_SWITCH);
    wait_for(&RCC_CR, PLL_READY, PLL_READY);

    FLASH_ACR = (1u << 10) | (1u << 9) | (1u << 8) | 5u; /* caches, prefetch, 5 wait states */
    wait_for(&FLASH_ACR, 15u, 5u);
    RCC_CFGR = (4u << 13) | (5u << 10) | 2u; /* APB2 / 2, APB1 / 4, the PLL */
    wait_for(&RCC_CFGR, 3u << 2, 2u << 2);
}

static void usart_init(void)
{
    const uint32_t clock_hz = BOARD_CLOCK_HZ / 4u; /* APB1 */
    RCC_AHB1ENR |= 1u << 0;
    RCC_APB1ENR |= 1u << 17;
    (void)RCC_APB1ENR;
    GPIOA_AFRL = (GPIOA_AFRL & ~(0xFFu << 8)) | (0x77u << 8);
    GPIOA_MODER = (GPIOA_MODER & ~(15u << 4)) | (10u << 4);
    USART_BRR = (clock_hz + BOARD_BAUD / 2u) / BOARD_BAUD;
    USART_CR1 = (1u << 13) | (1u << 3) | (1u << 2); /* UE, TE, RE */
}

void board_init(void)
{
    clock_180_mhz();
    usart_init();
}

void board_putc(char c)
{
    wait_for(&USART_SR, SR_TXE, SR_TXE);
    USART_DR = (uint8_t)c;
}

/* Reading SR and then DR also clears an overrun. */
int board_getc(void)
{
    return (USART_SR & SR_RXNE) != 0u ? (int)(USART_DR & 0xFFu) : -1;
}

void board_exit(int code)
{
    cortexm_exit(code);
}

uint32_t board_cycles(void)
{
    return cortexm_cycles();
}
