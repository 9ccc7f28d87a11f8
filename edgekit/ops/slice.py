"""SLICE: a box out of the input."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, NoOptions, constant_int32, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 65, 48, range(1, 6)
INPUTS = (3, 3)
macs = no_macs
Options = NoOptions


def constant_box(graph: Graph, op: Op) -> bool | str:
    """begin and size must be constant int32, one for each of at most 5 axes, inside the input"""
    source, *limits = graph.inputs_of(op)
    rank = len(source.shape)
    for tensor, name in zip(limits, ("begin", "size")):
        answer = constant_int32(tensor, name)
        if answer is not True:
            return answer
        if tensor.shape != (rank,) or rank > 5:
            return f"{name} has shape {list(tensor.shape)}, the input rank {rank}"
    for dim, (begin, size) in zip(source.shape, _box(graph, op)):
        if not 0 <= begin < begin + size <= dim:
            return f"{size} from {begin} of {dim}"
    return True


CONSTRAINTS = (copies.moves_int8(0), constant_box)


def _box(graph: Graph, op: Op) -> list[tuple[int, int]]:
    """(begin, size) of each axis; a size of -1 in the file is what is left."""
    source, begin, size = graph.inputs_of(op)
    return [(first, dim - first if count == -1 else count) for dim, first, count in
            zip(source.shape, begin.array.tolist(), size.array.tolist())]


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    return (tuple(size for _, size in _box(graph, op)),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Slice`."""
    return [inputs[0][tuple(slice(begin, begin + size) for begin, size in _box(graph, op))]]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    steps = copies.strides(graph.inputs_of(op)[0].shape)
    start = sum(begin * step for (begin, _), step in zip(_box(graph, op), steps))
    (shape,) = shapes(graph, op)
    return copies.lower(graph, op, copies.Piece(shape, start), steps, copies.strides(shape))
