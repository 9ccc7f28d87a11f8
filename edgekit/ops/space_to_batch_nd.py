"""SPACE_TO_BATCH_ND: the elements of an image's blocks as batches."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import blocks, copies
from edgekit.ops.base import Call, NoOptions, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 38, 25, range(1, 5)
INPUTS = (3, 3)
macs = no_macs
Options = NoOptions


def blocks_fill_the_image(graph: Graph, op: Op) -> bool | str:
    """the image must be whole blocks without padding, which TFLite Micro fills with whatever its
    memory holds"""
    # Its kernel never sets `SpaceToBatchParams::output_offset`.
    shape = graph.inputs_of(op)[0].shape
    for dim, (size, before, after) in zip(shape[1:], blocks.block_of(graph, op)):
        if before or after or dim % size:
            return f"{before} + {dim} + {after} by {size}"
    return True


CONSTRAINTS = (copies.moves_int8(0), blocks.constant_blocks, blocks_fill_the_image)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape, block = graph.inputs_of(op)[0].shape, blocks.block_of(graph, op)
    image = (dim // size for dim, (size, *_) in zip(shape[1:], block))
    return ((shape[0] * blocks.elements(block), *image, shape[-1]),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::SpaceToBatchND`."""
    block, image = blocks.block_of(graph, op), inputs[0]
    cut = image.reshape(image.shape[0], *(part for dim, (size, *_) in zip(image.shape[1:], block)
                                          for part in (dim // size, size)), image.shape[-1])
    axes = len(block)
    order = (*(2 * i + 2 for i in range(axes)), 0, *(2 * i + 1 for i in range(axes)), 2 * axes + 1)
    return [cut.transpose(order).reshape(shapes(graph, op)[0])]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, block = graph.inputs_of(op)[0], blocks.block_of(graph, op)
    (shape,) = shapes(graph, op)
    return (copies.copy(op.inputs[0], op.outputs[0], blocks.pieces(source.shape, shape, block),
                        blocks.image_strides(source.shape, block), copies.strides(shape)),)
