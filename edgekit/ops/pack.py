"""PACK: the inputs side by side along a new axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 83, 59, range(1, 5)
INPUTS = (1, 1000)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    values_count: int = slot(0, "i")
    axis: int = slot(1, "i")


def shapes_are_one(graph: Graph, op: Op) -> bool | str:
    """the inputs must have one shape, and be as many as the options say"""
    found = {tensor.shape for tensor in graph.inputs_of(op)}
    if len(found) > 1:
        return " and ".join(str(list(shape)) for shape in sorted(found))
    return op.options.values_count == len(op.inputs) or f"{op.options.values_count}"


def axis_in_range(graph: Graph, op: Op) -> bool | str:
    """the axis must be one of the output, which may have at most 6"""
    rank = len(graph.inputs_of(op)[0].shape) + 1
    return -rank <= op.options.axis < rank <= 6 or f"{op.options.axis} of {rank}"


CONSTRAINTS = (copies.moves_int8(), shapes_are_one, axis_in_range)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape = list(graph.inputs_of(op)[0].shape)
    shape.insert(op.options.axis % (len(shape) + 1), len(op.inputs))
    return (tuple(shape),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `PackImpl`."""
    return [np.stack(inputs, axis=op.options.axis)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    axis = op.options.axis % len(graph.outputs_of(op)[0].shape)
    return copies.along_axis(graph, axis, op.inputs, op.outputs[0], [1] * len(op.inputs),
                             joins=True)
