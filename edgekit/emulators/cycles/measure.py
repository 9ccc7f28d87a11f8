"""Modelled cycles of one inference, whole and by operator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.emulators.code_table import CodeTable
from edgekit.emulators.cycles.cores import CycleModel
from edgekit.emulators.cycles.cost_table import CostTable
from edgekit.emulators.cycles.flash_model import FlashModel
from edgekit.emulators.cycles.tracer import Tracer
from edgekit.emulators.processor import Processor

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cycles:
    """[low, high] of an inference and of its operators in file order (empty where unknown)."""

    total: Range
    ops: tuple[Range, ...]


class CycleMeter:
    """Counts a run and gives its cycles: `low` has no wait states, `high` the flash model's."""

    def __init__(self, processor: Processor, entry: int, table: CodeTable, model: CycleModel,
                 flash: FlashModel | None, native: bool = True):
        self._costs = CostTable(processor.program, processor.cpu, table, model.timing)
        self.tracer = Tracer(processor, entry, table.base, table.span, flash, native)
        self._model, self._flash = model, flash

    @property
    def warms_up(self) -> bool:
        """Whether a run before the measured one fills caches, as on a board that runs often."""
        return self._flash is not None

    def so_far(self) -> np.ndarray:
        """[low, high] cycles since the tracer's reset."""
        cycles = self._costs.cycles(self.tracer.counts())
        if self._flash:
            cycles[1] += self._flash.miss * self.tracer.misses
        return cycles

    def rounded(self, cycles: np.ndarray) -> Range:
        """Whole cycles with the model's factors: outwards, so that the range stays true."""
        low, high = int(cycles[0]) * self._model.low, int(cycles[1]) * self._model.high
        return math.floor(low), math.ceil(high)


class OpCycles:
    """Callbacks for an `OpTrace` that add up each operator's cycles."""

    def __init__(self, meter: CycleMeter, ops: int):
        self._meter = meter
        self._begun: dict[int, np.ndarray] = {}
        self._ops = [np.zeros(2, np.int64) for _ in range(ops)]

    def entered(self, op: int) -> None:
        self._begun[op] = self._meter.so_far()

    def left(self, op: int) -> None:
        self._ops[op] = self._meter.so_far() - self._begun[op]

    @property
    def ranges(self) -> tuple[Range, ...]:
        return tuple(self._meter.rounded(cycles) for cycles in self._ops)
