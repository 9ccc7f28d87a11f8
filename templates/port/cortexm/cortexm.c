/* SPDX-License-Identifier: 0BSD */
#include "cortexm.h"

#include "board.h"

#define DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000u)
#define DWT_CYCCNT (*(volatile uint32_t *)0xE0001004u)

#define SYS_EXIT 0x18u
#define STOPPED_RUN_TIME_ERROR 0x20023u
#define STOPPED_APPLICATION_EXIT 0x20026u

_Noreturn void cortexm_exit(int code)
{
#if EDGEKIT_EMULATED
    /* Semihosting. Never on hardware: without a debugger the breakpoint is a fault. */
    register uint32_t call __asm__("r0") = SYS_EXIT;
    register uint32_t why __asm__("r1") =
        code == 0 ? STOPPED_APPLICATION_EXIT : STOPPED_RUN_TIME_ERROR;
    __asm__ volatile("bkpt 0xab" : "+r"(call) : "r"(why) : "memory");
#else
    (void)code;
#endif
    for (;;) {
        __asm__ volatile("wfi");
    }
}

uint32_t cortexm_cycles(void)
{
    DEMCR |= DEMCR_TRCENA;
    DWT_CTRL |= 1u;
    return DWT_CYCCNT;
}
