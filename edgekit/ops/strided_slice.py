"""STRIDED_SLICE: every nth element of a range of each axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, constant_int32, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 45, 32, range(1, 9)
INPUTS = (4, 4)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    begin_mask: int = slot(0, "i")
    end_mask: int = slot(1, "i")
    ellipsis_mask: int = slot(2, "i")
    new_axis_mask: int = slot(3, "i")
    shrink_axis_mask: int = slot(4, "i")
    offset: bool = slot(5, "?", False)


def plain_axes(graph: Graph, op: Op) -> bool | str:
    """there must be no ellipsis, no new axis, and no end that counts from the begin"""
    o = op.options
    return not (o.ellipsis_mask or o.new_axis_mask or o.offset) or f"{o}"


def constant_ranges(graph: Graph, op: Op) -> bool | str:
    """begin, end and strides must be constant int32, one for each of at most 4 axes"""
    source, *limits = graph.inputs_of(op)
    rank = len(source.shape)
    for tensor, name in zip(limits, ("begin", "end", "strides")):
        answer = constant_int32(tensor, name)
        if answer is not True:
            return answer
        if tensor.shape != (rank,) or rank > 4:
            return f"{name} has shape {list(tensor.shape)}, the input rank {rank}"
    return True


def something_is_left(graph: Graph, op: Op) -> bool | str:
    """each axis must keep an element, with a stride that is not 0, or above 0 where it vanishes"""
    source, strides = graph.inputs_of(op)[0], graph.inputs_of(op)[3].array.tolist()
    for axis, (dim, stride) in enumerate(zip(source.shape, strides)):
        # A vanishing axis with a negative stride leaves the output unwritten in TFLM.
        shrinks = op.options.shrink_axis_mask >> axis & 1
        if stride == 0 or shrinks and stride < 0:
            return f"stride {stride} of axis {axis}"
        begin, count = _range(graph, op, axis)
        if count < 1 or not 0 <= begin < dim:
            return f"{count} elements from {begin} of {dim} on axis {axis}"
    return True


CONSTRAINTS = (copies.moves_int8(0), plain_axes, constant_ranges, something_is_left)


def _range(graph: Graph, op: Op, axis: int) -> tuple[int, int]:
    """(first element, number of elements) of an axis.

    Source: TFLite `strided_slice::StartForAxis` and `StopForAxis`.
    """
    source = graph.inputs_of(op)[0]
    begin, end, stride = (int(t.array[axis]) for t in graph.inputs_of(op)[1:])
    dim = source.shape[axis]
    lowest, highest = (0, dim) if stride > 0 else (-1, dim - 1)

    def limited(index: int) -> int:
        return min(max(index + dim if index < 0 else index, lowest), highest)

    first, last = (lowest, highest) if stride > 0 else (highest, lowest)
    begin = first if op.options.begin_mask >> axis & 1 else limited(begin)
    end = last if op.options.end_mask >> axis & 1 else limited(end)
    if op.options.shrink_axis_mask >> axis & 1:
        return begin, 1
    return begin, max(0, -(-(end - begin) // stride))


def _ranges(graph: Graph, op: Op) -> list[tuple[int, int, int]]:
    """(first element, number of elements, stride) of each axis."""
    strides = graph.inputs_of(op)[3].array.tolist()
    return [(*_range(graph, op, axis), stride) for axis, stride in enumerate(strides)]


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    return (tuple(count for axis, (_, count, _) in enumerate(_ranges(graph, op))
                  if not op.options.shrink_axis_mask >> axis & 1),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::StridedSlice`."""
    kept = [begin + stride * np.arange(count) for begin, count, stride in _ranges(graph, op)]
    return [inputs[0][np.ix_(*kept)].reshape(shapes(graph, op)[0])]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    ranges, steps = _ranges(graph, op), copies.strides(graph.inputs_of(op)[0].shape)
    shape = tuple(count for _, count, _ in ranges)
    start = sum(begin * step for (begin, *_), step in zip(ranges, steps))
    return copies.lower(graph, op, copies.Piece(shape, start),
                        tuple(stride * step for (*_, stride), step in zip(ranges, steps)),
                        copies.strides(shape))
