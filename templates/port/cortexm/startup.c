/* SPDX-License-Identifier: 0BSD
 * Reset and exceptions of every Cortex-M. Interrupts of the device follow the sixteen
 * core vectors: extend the table when the application enables one.
 */
#include "board.h"
#include "start.h"

#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08u)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88u)

typedef void (*vector)(void);

extern uint8_t __stack_top[]; /* link.ld */
void Reset_Handler(void);
void Fault_Handler(void);

struct vectors {
    void *stack;
    vector handlers[15];
};

__attribute__((section(".vectors"), used)) const struct vectors vectors = {
    __stack_top,
    {Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
     Fault_Handler, 0, 0, 0, Fault_Handler, Fault_Handler, 0, Fault_Handler, Fault_Handler},
};

void Reset_Handler(void)
{
    SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
#ifdef __ARM_FP
    SCB_CPACR |= 0xFu << 20; /* the FPU is off after reset */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    start();
}

/* A fault, or an exception that nobody handles. */
void Fault_Handler(void)
{
    board_exit(2);
}
