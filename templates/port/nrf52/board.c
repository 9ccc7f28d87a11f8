/* SPDX-License-Identifier: 0BSD
 * nRF52840: 64 MHz with the crystal, UART0 on P0.06 and P0.08. The UART without DMA: that of
 * UARTE cannot read flash, where text lies.
 */
#include "board.h"

#include "cortexm.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define CLOCK_HFCLKSTART REG(0x40000000u)
#define CLOCK_HFCLKSTARTED REG(0x40000100u)
#define NVMC_ICACHECNF REG(0x4001E540u)
#define P0_OUTSET REG(0x50000508u)
#define P0_PIN_CNF(pin) REG(0x50000700u + 4u * (pin))

#define UART_STARTRX REG(BOARD_UART_BASE + 0x000u)
#define UART_STARTTX REG(BOARD_UART_BASE + 0x008u)
#define UART_RXDRDY REG(BOARD_UART_BASE + 0x108u)
#define UART_TXDRDY REG(BOARD_UART_BASE + 0x11Cu)
#define UART_ENABLE REG(BOARD_UART_BASE + 0x500u)
#define UART_PSELTXD REG(BOARD_UART_BASE + 0x50Cu)
#define UART_PSELRXD REG(BOARD_UART_BASE + 0x514u)
#define UART_RXD REG(BOARD_UART_BASE + 0x518u)
#define UART_TXD REG(BOARD_UART_BASE + 0x51Cu)
#define UART_BAUDRATE REG(BOARD_UART_BASE + 0x524u)

#define PIN_TX 6u
#define PIN_RX 8u
#define OUTPUT 3u /* direction out, input buffer off */
#define BAUD_115200 0x01D7E000u

static void wait_for(volatile uint32_t *event)
{
    for (uint32_t spin = 0; *event == 0u && spin < 100000u; spin++) {
    }
}

void board_init(void)
{
    NVMC_ICACHECNF = 1u;
    CLOCK_HFCLKSTART = 1u; /* the internal oscillator is too inexact for a UART */
    wait_for(&CLOCK_HFCLKSTARTED);

    P0_OUTSET = 1u << PIN_TX; /* idle is high */
    P0_PIN_CNF(PIN_TX) = OUTPUT;
    P0_PIN_CNF(PIN_RX) = 0u;
    UART_PSELTXD = PIN_TX;
    UART_PSELRXD = PIN_RX;
    UART_BAUDRATE = BAUD_115200;
    UART_ENABLE = 4u;
    UART_STARTTX = 1u;
    UART_STARTRX = 1u;
}

void board_putc(char c)
{
    UART_TXDRDY = 0u;
    UART_TXD = (uint8_t)c;
    wait_for(&UART_TXDRDY);
}

int board_getc(void)
{
    if (UART_RXDRDY == 0u) {
        return -1;
    }
    UART_RXDRDY = 0u; /* before RXD: reading it takes the next byte from the FIFO */
    return (int)(UART_RXD & 0xFFu);
}

void board_exit(int code)
{
    cortexm_exit(code);
}

uint32_t board_cycles(void)
{
    return cortexm_cycles();
}
