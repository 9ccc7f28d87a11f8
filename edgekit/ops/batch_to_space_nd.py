"""BATCH_TO_SPACE_ND: batches as the elements of an image's blocks."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import blocks, copies
from edgekit.ops.base import Call, NoOptions, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 37, 24, range(1, 5)
INPUTS = (3, 3)
macs = no_macs
Options = NoOptions


def image_is_left(graph: Graph, op: Op) -> bool | str:
    """the batches must be whole blocks, and the crops leave some of the image"""
    source, block = graph.inputs_of(op)[0], blocks.block_of(graph, op)
    if source.shape[0] % blocks.elements(block):
        return f"{source.shape[0]} batches by {blocks.elements(block)}"
    return min(shapes(graph, op)[0]) > 0 or f"{list(shapes(graph, op)[0])}"


CONSTRAINTS = (copies.moves_int8(0), blocks.constant_blocks, image_is_left)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape, block = graph.inputs_of(op)[0].shape, blocks.block_of(graph, op)
    image = (dim * size - before - after
             for dim, (size, before, after) in zip(shape[1:], block))
    return ((shape[0] // blocks.elements(block), *image, shape[-1]),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::BatchToSpaceND`."""
    block, shape = blocks.block_of(graph, op), inputs[0].shape
    axes, sizes = len(block), [size for size, *_ in block]
    batches = inputs[0].reshape(*sizes, shape[0] // blocks.elements(block), *shape[1:])
    order = (axes, *(part for i in range(axes) for part in (axes + 1 + i, i)), 2 * axes + 1)
    whole = batches.transpose(order).reshape(
        batches.shape[axes], *(dim * size for dim, size in zip(shape[1:], sizes)), shape[-1])
    kept = (slice(before, dim - after)
            for dim, (_, before, after) in zip(whole.shape[1:], block))
    return [whole[(slice(None), *kept)]]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, block = graph.inputs_of(op)[0], blocks.block_of(graph, op)
    (shape,) = shapes(graph, op)
    # The blocks' own pieces, the other way round.
    pieces = [copies.Piece(piece.shape, piece.output_start, piece.input_start)
              for piece in blocks.pieces(shape, source.shape, block)]
    return (copies.copy(op.inputs[0], op.outputs[0], pieces, copies.strides(source.shape),
                        blocks.image_strides(shape, block)),)
