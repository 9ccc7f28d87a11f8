"""How much arithmetic a model is: for the `model` section of every document about one."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit import ops, ranges
from edgekit.graph import Graph
from edgekit.ops.base import wrong_counts


def macs_of(graph: Graph) -> list[int | None]:
    """Multiply-accumulates of each operator; None for one edgekit does not know or that lacks an
    input."""
    counts = []
    for op in graph.ops:
        module = ops.get(op.kind)
        is_known = module is not None and wrong_counts(module, op) is None
        counts.append(module.macs(graph, op) if is_known else None)
    return counts


def model_section(graph: Graph, name: str, sha256: str) -> dict:
    """`model` of every document about one: MACs are the file's, live ones those executed."""
    known = [count or 0 for count in macs_of(graph)]
    parameters = sum(t.size for t in graph.tensors if t.is_constant)
    return {"name": name, "sha256": sha256, "macs": sum(known), "macs_live": sum(known),
            "parameters": parameters}


def executed_macs(graph: Graph, sets: Sequence[str]) -> int:
    """Of a compiled graph's MACs those that a board with these kernels executes: kernels for an
    instruction set leave channels out that no input can change."""
    counts = [(op, count or 0) for op, count in zip(graph.ops, macs_of(graph))]
    return sum(ranges.live_macs(graph, op, count) if sets else count for op, count in counts)
