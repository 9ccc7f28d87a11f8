"""What PAD, PADV2 and MIRROR_PAD share: the paddings, and the data's place inside them."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, constant_int32

MAX_RANK = 5  # of TFLM


def constant_paddings(graph: Graph, op: Op) -> bool | str:
    """the paddings must be constant int32 of shape [rank, 2], none below 0, rank at most 5"""
    source, paddings = graph.inputs_of(op)[:2]
    answer = constant_int32(paddings, "the tensor")
    if answer is not True:
        return answer
    if len(source.shape) > MAX_RANK or paddings.shape != (len(source.shape), 2):
        return f"{paddings.shape} against {source.shape}"
    return True if paddings.array.min(initial=0) >= 0 else f"{paddings.array.min()}"


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, paddings = graph.inputs_of(op)[:2]
    return (tuple(dim + int(pad.sum()) for dim, pad in zip(source.shape, paddings.array)),)


def inside(graph: Graph, op: Op) -> tuple[Call, ...]:
    """The copy of the input to its place in the output; none where there is no padding."""
    source, paddings = graph.inputs_of(op)[:2]
    steps = copies.strides(shapes(graph, op)[0])
    start = sum(int(before) * step for (before, _), step in zip(paddings.array, steps))
    return copies.lower(graph, op, copies.Piece(source.shape, 0, start),
                        copies.strides(source.shape), steps)


def lower(graph: Graph, op: Op, value: int) -> tuple[Call, ...]:
    """The output set to the value, then the input copied into it."""
    if not graph.inputs_of(op)[1].array.any():
        return inside(graph, op)
    return (copies.fill(graph, op.outputs[0], value), *inside(graph, op))
