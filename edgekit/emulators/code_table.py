"""Instruction starts and stack use of all code in an ELF, as one table for block hooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgekit.emulators.cpu import CpuModel
from edgekit.emulators.elf import Program, Region
from edgekit.emulators.stack_effect import ends_block, lowering
from edgekit.errors import EdgekitError

MAX_SPAN = 1 << 24


@dataclass(frozen=True, slots=True)
class Instruction:
    address: int
    size: int
    mnemonic: str = ""
    operands: str = ""


def disassemble(cpu: CpuModel, address: int, data: bytes) -> Iterator[Instruction]:
    """Every instruction of straight code; one capstone does not know keeps its length."""
    import capstone
    engine = capstone.Cs(*cpu.disassembler)
    offset = 0
    while offset < len(data):
        for at, size, mnemonic, operands in engine.disasm_lite(data[offset:], address + offset):
            yield Instruction(at, size, mnemonic, operands)
            offset = at - address + size
        if offset < len(data):
            size = _length(cpu, data[offset:offset + 2])
            yield Instruction(address + offset, size)
            offset += size


def _length(cpu: CpuModel, first: bytes) -> int:
    """Bytes of an instruction by its first halfword, as each architecture defines it."""
    half = int.from_bytes(first, "little")
    if cpu.family == "cortex-m":
        return 4 if half >> 11 in (0b11101, 0b11110, 0b11111) else 2
    return 2 if cpu.family == "riscv" and half & 3 != 3 else 4


class CodeTable:
    """One entry of two uint32 for each halfword from `base` on, `span` bytes.

    [0] how many instructions begin before it: the difference over a block is its count.
    [1] for an instruction: by how many bytes SP sinks at most from here to the end of the
    straight line, from what the instructions say. `unknown` are the addresses behind
    instructions that change SP by an amount only a run tells.
    """

    def __init__(self, program: Program, cpu: CpuModel):
        regions = program.code
        if not regions:
            raise EdgekitError(f"{program.name}: there is no code in it")
        self._cpu, self._regions = cpu, regions
        self.base = regions[0].address & ~1
        self.span = max(r.address + len(r.data) for r in regions) - self.base
        if self.span > MAX_SPAN:  # code in flash and in RAM: count what spans less
            self.span = max(r.address + len(r.data) for r in regions
                            if r.address - self.base < MAX_SPAN) - self.base
        self.table = np.zeros((self.span // 2 + 2, 2), np.uint32)
        self.unknown: list[int] = []
        starts = np.zeros(len(self.table), np.uint32)
        for region in regions:
            if region.address - self.base < self.span:
                self._enter(region, starts)
        self.table[1:, 0] = np.cumsum(starts)[:-1]

    def _enter(self, region: Region, starts: np.ndarray) -> None:
        sinks = 0
        for i in reversed(list(disassemble(self._cpu, region.address, region.data))):
            slot = (i.address - self.base) // 2
            starts[slot] = 1
            change = lowering(i.mnemonic, i.operands)
            if change is None:
                self.unknown.append(i.address + i.size)
            if change is None or ends_block(i.mnemonic, i.operands):
                sinks = 0
            sinks = max(0, (change or 0) + sinks)
            self.table[slot, 1] = sinks

    def covers(self, address: int, size: int) -> bool:
        return self.base <= address and address + size <= self.base + self.span

    def sinks(self, address: int) -> int:
        return int(self.table[(address - self.base) // 2, 1]) if self.covers(address, 2) else 0

    def deepest(self, address: int) -> int:
        """The instruction at which SP is lowest, on the straight line from `address`."""
        wanted, sunk = self.sinks(address), 0
        region = next(r for r in self._regions
                      if r.address <= address < r.address + len(r.data))
        for i in disassemble(self._cpu, address, region.data[address - region.address:]):
            sunk += lowering(i.mnemonic, i.operands) or 0
            if sunk >= wanted:
                return i.address
        return address
