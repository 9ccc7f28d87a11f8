"""What one instruction costs, and how a processor's manual is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgekit.emulators.code_table import Instruction


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles at zero wait states: the fewest and the most, and (fewest, most) of a taken branch."""

    low: int
    high: int
    taken: tuple[int, int] = (0, 0)


# (the instruction, the one before it in memory or None) -> its cost.
Timing = Callable[[Instruction, "Instruction | None"], Cost]


def by_name(rows: Mapping[str, tuple[int, int]]) -> dict[str, Cost]:
    """Costs of several mnemonics in one row: {'udiv sdiv': (2, 12)}."""
    return {name: Cost(low, high) for names, (low, high) in rows.items() for name in names.split()}
