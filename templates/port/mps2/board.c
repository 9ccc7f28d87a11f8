/* SPDX-License-Identifier: 0BSD
 * Arm MPS2 and MPS2+: the CMSDK UART.
 */
#include "board.h"

#include "cortexm.h"

typedef struct {
    volatile uint32_t data, state, control, interrupt, baud_divider;
} cmsdk_uart;

#define UART ((cmsdk_uart *)BOARD_UART_BASE)
#define STATE_TX_FULL 1u
#define STATE_RX_FULL 2u
#define CONTROL_TX_ENABLE 1u
#define CONTROL_RX_ENABLE 2u

void board_init(void)
{
    UART->baud_divider = BOARD_CLOCK_HZ / BOARD_BAUD;
    UART->control = CONTROL_TX_ENABLE | CONTROL_RX_ENABLE;
}

void board_putc(char c)
{
    for (uint32_t spin = 0; (UART->state & STATE_TX_FULL) != 0u && spin < 100000u; spin++) {
    }
    UART->data = (uint8_t)c;
}

int board_getc(void)
{
    return (UART->state & STATE_RX_FULL) != 0u ? (int)(UART->data & 0xFFu) : -1;
}

void board_exit(int code)
{
    cortexm_exit(code);
}

uint32_t board_cycles(void)
{
    return cortexm_cycles();
}
