"""What passes that remove operators share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgekit.graph import Graph, Op


def readers(graph: Graph, tensor: int) -> list[Op]:
    """The operators that read a tensor."""
    return [op for op in graph.ops if tensor in op.inputs]


def writer(graph: Graph, tensor: int) -> Op | None:
    """The operator that writes a tensor; None for inputs and constants."""
    return next((op for op in graph.ops if tensor in op.outputs), None)


def is_inner(graph: Graph, tensor: int) -> bool:
    """Whether one operator writes the tensor and one reads it, and nobody outside."""
    return tensor not in graph.outputs and writer(graph, tensor) is not None \
        and len(readers(graph, tensor)) == 1


def without(graph: Graph, gone: Op, changed: Mapping[Op, Op] | None = None) -> Graph:
    """The graph without an operator, with other operators in the place of some."""
    changed = changed or {}
    return replace(graph, ops=tuple(changed.get(op, op) for op in graph.ops if op is not gone),
                   folded=(*graph.folded, replace(gone, outputs=())))


def reading(op: Op, old: int, new: int) -> Op:
    """The operator with another tensor in the place of one that it reads."""
    return replace(op, inputs=tuple(new if i == old else i for i in op.inputs))
