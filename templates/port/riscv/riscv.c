/* SPDX-License-Identifier: 0BSD
 * Reset and traps of RV32 firmware without an operating system.
 */
#include "board.h"
#include "start.h"

/* `zicsr` is switched on here alone, so that -march picks the C3's own libgcc. */
__asm__(".section .vectors, \"ax\", @progbits\n"
        ".option push\n"
        ".option arch, +zicsr\n"
        ".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "    la gp, __global_pointer$\n"
        ".option pop\n"
        "    la sp, __stack_top\n"
        "    la t0, riscv_trap\n"
        "    csrw mtvec, t0\n"
        "    j start\n"
        ".option pop\n");

void riscv_trap(void);

/* A trap, or an interrupt that nobody handles; mtvec wants four-byte alignment. */
__attribute__((aligned(4), used)) void riscv_trap(void)
{
    board_exit(2);
}
