"""SPLIT: equal parts of the input along an axis."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import base, copies, splitting
from edgekit.ops.base import Call, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 49, 35, range(1, 5)
INPUTS = (2, 2)
Options, OUTPUTS, macs = splitting.Options, splitting.OUTPUTS, no_macs


def constant_axis(graph: Graph, op: Op) -> bool | str:
    """the axis must be constant int32, and one of the input"""
    tensor, source = graph.inputs_of(op)
    return base.constant_axis(tensor, len(source.shape))


def equal_parts(graph: Graph, op: Op) -> bool | str:
    """the outputs must divide the axis, and be as many as the options say"""
    size = graph.inputs_of(op)[1].shape[_axis(graph, op)]
    return size % len(op.outputs) == 0 and len(op.outputs) == op.options.num_splits or (
        f"{len(op.outputs)} outputs, {op.options.num_splits} in the options, axis of {size}")


CONSTRAINTS = (copies.moves_int8(1), constant_axis, equal_parts)


def _axis(graph: Graph, op: Op) -> int:
    tensor, source = graph.inputs_of(op)
    return base.axis_of(tensor, len(source.shape))


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape, axis = list(graph.inputs_of(op)[1].shape), _axis(graph, op)
    shape[axis] //= len(op.outputs)
    return (tuple(shape),) * len(op.outputs)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `SplitImpl`."""
    return np.split(inputs[1], len(op.outputs), _axis(graph, op))


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    axis = _axis(graph, op)
    sizes = [tensor.shape[axis] for tensor in graph.outputs_of(op)]
    return copies.along_axis(graph, axis, op.outputs, op.inputs[1], sizes, joins=False)
