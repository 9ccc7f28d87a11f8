"""DEPTH_TO_SPACE: channels as a block of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 5, 94, range(1, 3)
INPUTS = (1, 1)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    block_size: int = slot(0, "i")


def whole_blocks(graph: Graph, op: Op) -> bool | str:
    """the input must be [batch, height, width, channels], and a block's pixels divide the channels"""
    shape, size = graph.inputs_of(op)[0].shape, op.options.block_size
    return len(shape) == 4 and size > 0 and shape[3] % (size * size) == 0 or f"{shape} by {size}"


CONSTRAINTS = (copies.moves_int8(0), whole_blocks)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    batches, height, width, depth = graph.inputs_of(op)[0].shape
    size = op.options.block_size
    return ((batches, height * size, width * size, depth // (size * size)),)


def _apart(graph: Graph, op: Op) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The input's axes, blocks apart, and their order in the output."""
    batches, height, width, depth = graph.inputs_of(op)[0].shape
    size = op.options.block_size
    return (batches, height, width, size, size, depth // (size * size)), (0, 1, 3, 2, 4, 5)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::DepthToSpace`."""
    cut, order = _apart(graph, op)
    return [inputs[0].reshape(cut).transpose(order).reshape(shapes(graph, op)[0])]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    cut, order = _apart(graph, op)
    steps, shape = copies.strides(cut), tuple(cut[axis] for axis in order)
    return copies.lower(graph, op, copies.Piece(shape), tuple(steps[axis] for axis in order),
                        copies.strides(shape))
