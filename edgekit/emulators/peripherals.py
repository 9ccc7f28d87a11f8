"""Peripherals that let any firmware start: registers that satisfy every wait, and a UART."""

from __future__ import annotations

from collections.abc import Callable

from edgekit.board import Board
from edgekit.emulators.cpu import CpuModel
from edgekit.emulators.uart import REGISTERS, Uart

# Register spaces beside the architecture's own, (origin, size).
SPACES = {
    "rp2040": ((0x1400_0000, 0x1000), (0x1800_0000, 0x1000), (0xD000_0000, 0x1000)),
    "esp32c3": ((0x6000_0000, 0x10_0000),),
    "esp32c6": ((0x6000_0000, 0x10_0000),),
    "qemu_riscv32": ((0x0010_0000, 0x1000), (0x0200_0000, 0x1_0000), (0x0C00_0000, 0x60_0000),
                     (0x1000_0000, 0x1000)),
    "qemu_aarch64": ((0x0900_0000, 0x1000),),
}
# Armv7-M architecture reference manual B3.1: peripherals, and the private peripheral bus.
ARCHITECTURE = {"cortex-m": ((0x4000_0000, 0x2000_0000), (0xE000_0000, 0x10_0000))}
# QEMU's sifive_test device: what is written here ends the machine.
EXIT = {"qemu_riscv32": 0x0010_0000}
# ESP32-C3 technical reference manual, mpcer, mpcmr and mpccr: its cycle counter's CSRs.
COUNTER_CSRS = {"esp32c3": range(0x7E0, 0x7E3), "esp32c6": range(0x7E0, 0x7E3)}


def spaces(board: Board, family: str) -> list[tuple[int, int]]:
    """The register spaces of a board, (origin, size), without overlaps and without its memories."""
    taken = [(m.origin, m.origin + m.size) for m in board.memory]
    found = []
    for origin, size in (*ARCHITECTURE.get(family, ()), *SPACES.get(board.port, ())):
        at, end = origin, origin + size
        for low, high in sorted(taken):
            if low < end and high > at:
                if low > at:
                    found.append((at, low - at))
                at = max(at, high)
        if at < end:
            found.append((at, end - at))
        taken.append((origin, origin + size))
    return found


def step_over_counter(uc, cpu: CpuModel, board: Board, pc: int) -> bool:
    """Whether the instruction that trapped at `pc` uses the board's own counter; it reads 0.

    unicorn gives the next instruction's address where code hooks are installed, so the one before
    is looked at too; two of these in a row may both be stepped over.
    """
    if cpu.family != "riscv" or board.port not in COUNTER_CSRS:
        return False
    found = False
    for at in (pc - 4, pc):
        word = int.from_bytes(uc.mem_read(at, 4), "little")
        if word & 0x7F == 0x73 and word >> 12 & 3 and word >> 20 in COUNTER_CSRS[board.port]:
            if target := word >> 7 & 31:
                uc.reg_write(cpu.zero + target, 0)
            uc.reg_write(cpu.pc, at + 4)
            found = True
    return found


class Peripherals:
    """Registers of all spaces; `write_out` gets what is sent on the UART, byte by byte.

    A read cycles through what was written last, all ones, zero and two patterns, so that a
    wait for any bit to be set or clear ends.
    """

    def __init__(self, uc, board: Board, family: str, write_out: Callable[[int], None],
                 on_exit: Callable[[int], None]):
        self._last: dict[int, int] = {}
        self._reads: dict[int, int] = {}
        self._on_exit = on_exit
        self._exit = EXIT.get(board.port)
        self.uart: Uart | None = None
        if board.serial is not None and board.port in REGISTERS:
            self.uart = Uart(board.port, board.serial.base, write_out)
        for origin, size in spaces(board, family):
            uc.mmio_map(origin, size, self._read, origin, self._write, origin)

    def _read(self, uc, offset: int, size: int, origin: int) -> int:
        address = origin + offset
        value = self.uart.read(address) if self.uart else None
        if value is not None:
            return value
        turn = self._reads.get(address, 0)
        self._reads[address] = turn + 1
        cycle = (self._last.get(address, 0), 0xFFFF_FFFF, 0, 0xAAAA_AAAA, 0x5555_5555)
        return cycle[turn % len(cycle)] & ((1 << 8 * size) - 1)

    def _write(self, uc, offset: int, size: int, value: int, origin: int) -> None:
        address = origin + offset
        self._last[address] = value
        self._reads[address] = 0
        if not (self.uart and self.uart.write(address, value)) and address == self._exit:
            self._on_exit(value)
