"""GATHER: entries of an axis by their numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies, gathering
from edgekit.ops.base import Call, constant_int32, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 36, 23, range(1, 8)
INPUTS = (2, 2)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    axis: int = slot(0, "i")
    batch_dims: int = slot(1, "i")


def constant_entries(graph: Graph, op: Op) -> bool | str:
    """the numbers must be constant int32, of entries that the axis has; without batch axes"""
    source, numbers = graph.inputs_of(op)
    answer = constant_int32(numbers, "the tensor")
    if answer is not True:
        return answer
    rank, axis = len(source.shape), op.options.axis
    if not -rank <= axis < rank or op.options.batch_dims:
        return f"axis {axis} of rank {rank}, {op.options.batch_dims} batch axes"
    if rank - 1 + len(numbers.shape) > 6:
        return f"the output has {rank - 1 + len(numbers.shape)} axes"
    dim = source.shape[axis]
    lowest, highest = int(numbers.array.min()), int(numbers.array.max())
    return 0 <= lowest and highest < dim or f"{lowest} to {highest} of {dim}"


CONSTRAINTS = (copies.moves_int8(0), constant_entries)


def _axis(graph: Graph, op: Op) -> int:
    return op.options.axis % len(graph.inputs_of(op)[0].shape)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, numbers = graph.inputs_of(op)
    axis = _axis(graph, op)
    return (source.shape[:axis] + numbers.shape + source.shape[axis + 1:],)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `Gather` in gather.cc."""
    return [np.take(inputs[0], inputs[1], axis=_axis(graph, op))]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, numbers = graph.inputs_of(op)
    axis = _axis(graph, op)
    chunk = math.prod(source.shape[axis + 1:])
    return (gathering.call(op, math.prod(source.shape[:axis]), source.shape[axis] * chunk,
                           np.zeros(1), numbers.array.ravel() * chunk, chunk),)
