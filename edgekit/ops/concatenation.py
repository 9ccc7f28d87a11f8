"""CONCATENATION: the inputs one after another along an axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 2, 10, range(1, 5)
INPUTS = (1, 1000)


@dataclass(frozen=True, slots=True)
class Options:
    axis: int = slot(0, "i")
    activation: int = slot(1, "b")


def no_activation(graph: Graph, op: Op) -> bool | str:
    """there must be no fused activation"""
    return op.options.activation == 0 or f"it is number {op.options.activation}"


def shapes_match(graph: Graph, op: Op) -> bool | str:
    """the inputs' shapes must be equal but for the axis"""
    first, rank = graph.inputs_of(op)[0].shape, len(graph.inputs_of(op)[0].shape)
    if not -rank <= op.options.axis < rank:
        return f"axis {op.options.axis} of rank {rank}"
    axis = op.options.axis % rank
    for tensor in graph.inputs_of(op):
        other = tensor.shape
        if len(other) != rank or other[:axis] + other[axis + 1:] != first[:axis] + first[axis + 1:]:
            return f"{list(first)} and {list(other)} on axis {axis}"
    return True


CONSTRAINTS = (copies.moves_int8(), no_activation, shapes_match)

macs = no_macs


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape = list(graph.inputs_of(op)[0].shape)
    shape[op.options.axis] = sum(t.shape[op.options.axis] for t in graph.inputs_of(op))
    return (tuple(shape),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Concatenation`."""
    return [np.concatenate(inputs, axis=op.options.axis)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    axis = op.options.axis % len(graph.outputs_of(op)[0].shape)
    sizes = [tensor.shape[axis] for tensor in graph.inputs_of(op)]
    return copies.along_axis(graph, axis, op.inputs, op.outputs[0], sizes, joins=True)
