"""The time of an inference in a profile: instructions counted, cycles and latency estimated."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.board import Board
from edgekit.documents import issue
from edgekit.emulators.cycles.cores import model_of
from edgekit.emulators.cycles.measure import Cycles
from edgekit.link import Inference


def time_section(runs: Sequence[Inference], cycles: Cycles | None, board: Board,
                 issues: list[dict]) -> dict:
    """`time` of a profile: cycles and latency are [low, high], null with an issue saying why."""
    if not runs:
        return {"instructions": None, "cycles": None, "latency_s": None, "energy_j": None,
                "methods": {}}
    methods = {"instructions": "emulated"}
    latency = _latency(cycles, board)
    if cycles:
        methods["cycles"] = "estimated"
    if latency:
        methods["latency_s"] = "estimated"
    issues.append(_said(cycles, board))
    return {"instructions": max(run.instructions for run in runs),
            "cycles": list(cycles.total) if cycles else None, "latency_s": latency,
            "energy_j": None, "methods": methods}


def op_cycles(cycles: Cycles | None, index: int) -> list[int] | None:
    """[low, high] of the operator at a position of the file; None where it is not known."""
    return list(cycles.ops[index]) if cycles and cycles.ops else None


def _latency(cycles: Cycles | None, board: Board) -> list[float] | None:
    if cycles is None or not board.cpu.clock_hz:
        return None
    return [end / board.cpu.clock_hz for end in cycles.total]


def _said(cycles: Cycles | None, board: Board) -> dict:
    """What the numbers are worth, or why there are none."""
    if cycles is None and model_of(board) is None:
        return issue("no_cycle_model", "cycles, latency and energy are not known: instructions are "
                     f"counted, but nobody has published how long a {board.cpu.core} takes for "
                     "each", "", "info")
    if cycles is None:
        return issue("no_cycles", "cycles, latency and energy are not known: they are modelled from "
                     "the ELF's own code as the engine unicorn runs it", "--engine unicorn", "info")
    text = f"cycles are estimated: {model_of(board).said}"
    if not board.cpu.clock_hz:
        text += "; latency is not known, as the machine's clock is not"
    return issue("cycle_model", f"{text}; energy is not known", "", "info")
