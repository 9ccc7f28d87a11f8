"""Costs of all code in an ELF, by halfword, and a run's cycles from its counts."""

from __future__ import annotations

import numpy as np

from edgekit.emulators.code_table import CodeTable, disassemble
from edgekit.emulators.cpu import CpuModel
from edgekit.emulators.cycles.cost import Timing
from edgekit.emulators.elf import Program


class CostTable:
    """One entry for each halfword of `span` bytes from `base` on."""

    def __init__(self, program: Program, cpu: CpuModel, table: CodeTable, timing: Timing):
        self.base, self.span = table.base, table.span
        slots = table.span // 2 + 2
        # Costs lie at an instruction's start, a taken branch's at the address behind it.
        self._costs, self._taken = np.zeros((slots, 2), np.int64), np.zeros((slots, 2), np.int64)
        for region in program.code:
            if region.address - self.base < self.span:
                before = None
                for this in disassemble(cpu, region.address, region.data):
                    self._enter(this, timing(this, before))
                    before = this

    def _enter(self, this, cost) -> None:
        slot = (this.address - self.base) // 2
        self._costs[slot] = cost.low, cost.high
        self._taken[slot + this.size // 2] = cost.taken

    def cycles(self, counts: np.ndarray) -> np.ndarray:
        """[low, high] at zero wait states of a run with these (begun, ended, taken) counts."""
        begun, ended, taken = (counts[:, i].astype(np.int64) for i in range(3))
        return np.cumsum(begun - ended) @ self._costs + taken @ self._taken
