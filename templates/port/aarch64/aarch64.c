/* SPDX-License-Identifier: 0BSD
 * Reset and exceptions of AArch64 code without an operating system, at EL1.
 */
#include "board.h"
#include "start.h"

__asm__(".section .vectors, \"ax\", @progbits\n"
        ".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    adrp x0, __stack_top\n"
        "    add x0, x0, :lo12:__stack_top\n"
        "    mov sp, x0\n"
        /* Floating point and SIMD are off after reset. */
        "    mov x0, #(3 << 20)\n"
        "    msr cpacr_el1, x0\n"
        "    adr x0, aarch64_vectors\n"
        "    msr vbar_el1, x0\n"
        "    isb\n"
        "    b start\n"
        /* Sixteen entries of 128 bytes; every exception is the end. */
        ".balign 2048\n"
        "aarch64_vectors:\n"
        ".rept 16\n"
        "    b aarch64_exception\n"
        "    .balign 128\n"
        ".endr\n");

void aarch64_exception(void);

__attribute__((used)) void aarch64_exception(void)
{
    board_exit(2);
}
