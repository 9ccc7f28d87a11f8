"""What a device measured of itself over several inferences, and its section of a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgekit.graph import Graph
from edgekit.link import Inference

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """(smallest, largest) cycles and seconds of an inference and of each operator, in the order of
    the file; `peak_stack` is the largest, in bytes. None, or () by operator, where the device has
    no clock or does not know its stack."""

    cycles: Range | None = None
    latency_s: Range | None = None
    peak_stack: int | None = None
    op_cycles: tuple[Range, ...] = ()
    op_latency_s: tuple[Range, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == Measured()


def measured(runs: Sequence[Inference]) -> Measured:
    """Over all runs; operators over those that timed them."""
    return Measured(_range(run.cycles for run in runs), _range(run.latency_s for run in runs),
                    max((run.peak_stack for run in runs if run.peak_stack), default=None),
                    _columns([run.op_cycles for run in runs if run.op_cycles]),
                    _columns([run.op_latency_s for run in runs if run.op_latency_s]))


def _range(values: Iterable[float | None]) -> Range | None:
    found = list(values)
    return (min(found), max(found)) if found and None not in found else None


def _columns(rows: Sequence[Sequence[float]]) -> tuple[Range, ...]:
    return tuple((min(column), max(column)) for column in zip(*rows, strict=True))


def device_section(found: Measured, graph: Graph, kernels: Sequence[str]) -> dict | None:
    """`device` of `edgekit.validate`: null where nothing was measured.

    `kernels` are the names by operator where they are known; one that became part of another
    operator takes no time of its own.
    """
    if found.is_empty:
        return None
    values = {"cycles": found.cycles, "latency_s": found.latency_s,
              "peak_stack": found.peak_stack}
    ops = []
    for i, op in enumerate(graph.ops):
        kernel = kernels[i] if kernels else None
        ops.append({"index": op.index, "kind": op.kind, "kernel": kernel,
                    "cycles": op_range(found.op_cycles, i, kernel),
                    "latency_s": op_range(found.op_latency_s, i, kernel)})
    timed = bool(found.op_cycles or found.op_latency_s)
    return {**{name: _plain(value) for name, value in values.items()},
            "ops": ops if timed else [], "methods": methods(values)}


def op_range(ranges: Sequence[Range], index: int, kernel: str | None) -> list | None:
    if not ranges:
        return None
    return [0, 0] if kernel == "folded" else list(ranges[index])


def methods(values: Mapping[str, object]) -> dict[str, str]:
    return {name: "measured" for name, value in values.items() if value is not None}


def _plain(value):
    return list(value) if isinstance(value, tuple) else value
