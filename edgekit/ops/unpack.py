"""UNPACK: the input's entries along an axis, each an output without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 88, 64, range(1, 5)
INPUTS = (1, 1)
OUTPUTS = (1, 1000)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    num: int = slot(0, "i")
    axis: int = slot(1, "i")


def outputs_are_the_axis(graph: Graph, op: Op) -> bool | str:
    """the outputs must be as many as the axis is long, and as the options say"""
    shape, axis = graph.inputs_of(op)[0].shape, op.options.axis
    if not -len(shape) <= axis < len(shape):
        return f"axis {axis} of rank {len(shape)}"
    return shape[axis] == len(op.outputs) == op.options.num or (
        f"{len(op.outputs)} outputs, {op.options.num} in the options, {shape[axis]} entries")


CONSTRAINTS = (copies.moves_int8(), outputs_are_the_axis)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape = list(graph.inputs_of(op)[0].shape)
    del shape[op.options.axis]
    return (tuple(shape),) * len(op.outputs)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `UnpackImpl`."""
    return list(np.moveaxis(inputs[0], op.options.axis, 0))


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    axis = op.options.axis % len(graph.inputs_of(op)[0].shape)
    return copies.along_axis(graph, axis, op.outputs, op.inputs[0], [1] * len(op.outputs),
                             joins=False)
