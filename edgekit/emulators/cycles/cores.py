"""Which model a core has: its timing, and factors that cover what the timing does not know."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.board import Board
from edgekit.emulators.code_table import Instruction
from edgekit.emulators.cycles.cortex_m0plus import cortex_m0plus
from edgekit.emulators.cycles.cortex_m4 import CORTEX_M3, CORTEX_M4
from edgekit.emulators.cycles.cost import Cost, Timing


@dataclass(frozen=True, slots=True)
class CycleModel:
    """`timing`'s cycles times `low` to `high`; `said` tells a reader what that is worth."""

    timing: Timing
    low: float
    high: float
    said: str


_MANUAL = "instruction costs of Arm's manual, up to the flash's wait states"
_MARGIN = 0.3
# Cycles of the same software and model on the same vendor's boards, from MLPerf Tiny v1.1:
# docs/cycles.md. They are relative to an L4R5 with wait states, 1.2 times its core alone.
_M7_TO_M4, _M33_TO_M4 = 0.73, 1.0


# ESP32-C3, one instruction at a time: Espressif's person_detect takes 426 ms at 160 MHz with
# ESP-NN, 68.2 million cycles; the same layers are 62.6 million instructions by gcc 12 -O2.
_C3_CYCLES = 1.09


def _one_cycle(this: Instruction, before: Instruction | None) -> Cost:
    return Cost(1, 1)


def _scaled(ratio: float, core: str) -> CycleModel:
    return CycleModel(CORTEX_M4, ratio * (1 - _MARGIN), ratio * (1 + _MARGIN),
                      f"cycles of a {core} are those of a Cortex-M4 times {ratio:g}, ±30 %")


_MODELS = {
    "cortex-m0plus": CycleModel(cortex_m0plus, 1, 1, _MANUAL),
    "cortex-m3": CycleModel(CORTEX_M3, 1, 1, _MANUAL),
    "cortex-m4": CycleModel(CORTEX_M4, 1, 1, _MANUAL),
    "cortex-m7": _scaled(_M7_TO_M4, "Cortex-M7"),
    "cortex-m33": _scaled(_M33_TO_M4, "Cortex-M33"),
    "esp32-c3": CycleModel(_one_cycle, 1, _C3_CYCLES * (1 + _MARGIN),
                           "from one cycle an instruction to what fits the published "
                           f"person_detect run ({_C3_CYCLES:g} cycles) +30 %"),
}


def model_of(board: Board) -> CycleModel | None:
    """The board's model; None where nobody has published or measured its core's timing."""
    return _MODELS.get(board.cpu.core)
