"""SPLIT_V: parts of the input along an axis, of sizes that are given."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import base, copies, splitting
from edgekit.ops.base import Call, constant_int32, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 102, 79, range(1, 3)
INPUTS = (3, 3)
Options, OUTPUTS, macs = splitting.Options, splitting.OUTPUTS, no_macs


def constant_axis(graph: Graph, op: Op) -> bool | str:
    """the axis must be constant int32, and one of the input"""
    source, _, tensor = graph.inputs_of(op)
    return base.constant_axis(tensor, len(source.shape))


def sizes_fill_the_axis(graph: Graph, op: Op) -> bool | str:
    """the sizes must be constant int32, one for each output, and add up to the axis"""
    source, tensor, _ = graph.inputs_of(op)
    answer = constant_int32(tensor, "the sizes")
    if answer is not True:
        return answer
    if not tensor.size == len(op.outputs) == op.options.num_splits:
        return f"{tensor.size} sizes, {len(op.outputs)} outputs, {op.options.num_splits} in the options"
    if tensor.array.ravel().tolist().count(-1) > 1:
        return "more than one is -1"
    sizes, size = _sizes(graph, op), source.shape[_axis(graph, op)]
    return min(sizes) > 0 and sum(sizes) == size or f"{sizes} of {size}"


CONSTRAINTS = (copies.moves_int8(0), constant_axis, sizes_fill_the_axis)


def _axis(graph: Graph, op: Op) -> int:
    source, _, tensor = graph.inputs_of(op)
    return base.axis_of(tensor, len(source.shape))


def _sizes(graph: Graph, op: Op) -> list[int]:
    """The parts' lengths; a -1 in the file is what is left."""
    source, tensor, _ = graph.inputs_of(op)
    sizes = tensor.array.ravel().tolist()
    rest = source.shape[_axis(graph, op)] - sum(size for size in sizes if size != -1)
    return [rest if size == -1 else size for size in sizes]


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape, axis = graph.inputs_of(op)[0].shape, _axis(graph, op)
    return tuple((*shape[:axis], size, *shape[axis + 1:]) for size in _sizes(graph, op))


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `SplitImpl` of split_v.cc."""
    return np.split(inputs[0], np.cumsum(_sizes(graph, op))[:-1], _axis(graph, op))


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return copies.along_axis(graph, _axis(graph, op), op.outputs, op.inputs[0],
                             _sizes(graph, op), joins=False)
