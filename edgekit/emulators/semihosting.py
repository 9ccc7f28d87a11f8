"""Arm's and RISC-V's semihosting calls: write and exit, as firmware for QEMU makes them."""

from __future__ import annotations

from collections.abc import Callable

from edgekit.emulators.cpu import CpuModel

SYS_WRITEC, SYS_WRITE0, SYS_WRITE, SYS_EXIT, SYS_EXIT_EXTENDED = 0x03, 0x04, 0x05, 0x18, 0x20
_BKPT_AB = b"\xab\xbe"
# slli zero, zero, 31; ebreak; srai zero, zero, 7: the RISC-V semihosting specification.
_RISCV = bytes.fromhex("1310f001 73001000 13507040")


def is_call(uc, cpu: CpuModel, pc: int) -> bool:
    """Whether the trap at `pc` is a semihosting call."""
    if cpu.family == "cortex-m":
        return bytes(uc.mem_read(pc, 2)) == _BKPT_AB
    return cpu.family == "riscv" and bytes(uc.mem_read(pc - 4, 12)) == _RISCV


def answer(uc, cpu: CpuModel, pc: int, write_out: Callable[[int], None],
           on_exit: Callable[[int], None]) -> None:
    """Do the call at `pc` and step over its trap; calls we do not have give -1."""
    operation = uc.reg_read(cpu.argument)
    # Argument registers are consecutive: r0 and r1, a0 and a1.
    parameter, result = uc.reg_read(cpu.argument + 1), 0
    if operation == SYS_WRITEC:
        write_out(uc.mem_read(parameter, 1)[0])
    elif operation == SYS_WRITE0:
        while byte := uc.mem_read(parameter, 1)[0]:
            write_out(byte)
            parameter += 1
    elif operation == SYS_WRITE:
        words = bytes(uc.mem_read(parameter, 3 * cpu.word))
        start, size = (int.from_bytes(words[i * cpu.word:(i + 1) * cpu.word], "little")
                       for i in (1, 2))
        for byte in uc.mem_read(start, size):
            write_out(byte)
    elif operation in (SYS_EXIT, SYS_EXIT_EXTENDED):
        on_exit(parameter)
    else:
        result = -1
    uc.reg_write(cpu.argument, result & ((1 << 8 * cpu.word) - 1))
    uc.reg_write(cpu.pc, pc + 2 | 1 if cpu.family == "cortex-m" else pc + 4)
