"""TRANSPOSE: the axes in another order."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, NoOptions, constant_int32, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 39, 26, range(1, 7)
INPUTS = (2, 2)
macs = no_macs
Options = NoOptions


def constant_order(graph: Graph, op: Op) -> bool | str:
    """the order of the axes must be constant int32, and name each axis of at most 5 once"""
    source, order = graph.inputs_of(op)
    answer = constant_int32(order, "it")
    if answer is not True:
        return answer
    axes, rank = order.array.ravel().tolist(), len(source.shape)
    return sorted(axes) == list(range(rank)) and rank <= 5 or f"{axes} of rank {rank}"


CONSTRAINTS = (copies.moves_int8(0), constant_order)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, order = graph.inputs_of(op)
    return (tuple(source.shape[axis] for axis in order.array.ravel().tolist()),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Transpose`."""
    return [np.transpose(inputs[0], inputs[1].ravel().tolist())]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, order = graph.inputs_of(op)
    return copies.transposed(graph, op, source.shape, tuple(order.array.ravel().tolist()))
