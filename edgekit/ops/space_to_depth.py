"""SPACE_TO_DEPTH: each block of pixels as the channels of one."""

from __future__ import annotations

from functools import partial

from edgekit.graph import Graph, Op
from edgekit.ops import blocks_as_depth, copies
from edgekit.ops.base import no_macs

CODE, OPTIONS_TYPE, VERSIONS = 26, 19, range(1, 3)
INPUTS = (1, 1)
Options, macs = blocks_as_depth.Options, no_macs


def whole_blocks(graph: Graph, op: Op) -> bool | str:
    """the input must be [batch, height, width, channels] of whole blocks"""
    shape, size = graph.inputs_of(op)[0].shape, op.options.block_size
    return len(shape) == 4 and size > 0 and shape[1] % size == shape[2] % size == 0 or (
        f"{shape} by {size}")


CONSTRAINTS = (copies.moves_int8(0), whole_blocks)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    batches, height, width, depth = graph.inputs_of(op)[0].shape
    size = op.options.block_size
    return ((batches, height // size, width // size, depth * size * size),)


def _apart(graph: Graph, op: Op) -> tuple[int, ...]:
    """The input's axes, blocks apart."""
    batches, height, width, depth = graph.inputs_of(op)[0].shape
    size = op.options.block_size
    return (batches, height // size, size, width // size, size, depth)


reference = partial(blocks_as_depth.reference, _apart)
lower = partial(blocks_as_depth.lower, _apart)
