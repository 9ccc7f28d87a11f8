"""What SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND share: an image's blocks as batches.

An image is [batches, height, width, depth] or [batches, height, depth]. Element (y, x) of a block
is an image of its own, [batches, height / block, width / block, depth], in the tensor of batches.
"""

from __future__ import annotations

import itertools
import math

from edgekit.graph import Graph, Op
from edgekit.ops.base import constant_int32
from edgekit.ops.copies import Piece, strides


def constant_blocks(graph: Graph, op: Op) -> bool | str:
    """the input must have 3 or 4 axes; the block's shape and what lies around the image must be
    constant int32, one for each axis between the first and the last, none below 1 and 0"""
    source, block, margins = graph.inputs_of(op)
    for tensor, name in ((block, "the block"), (margins, "what lies around")):
        answer = constant_int32(tensor, name)
        if answer is not True:
            return answer
    axes = len(source.shape) - 2
    if axes not in (1, 2) or block.shape != (axes,) or margins.shape != (axes, 2):
        return f"{source.shape}, {block.shape} and {margins.shape}"
    if block.array.min() < 1 or block.array.max() > 4096:
        return f"a block of {block.array.tolist()}"
    return True if 0 <= margins.array.min() and margins.array.max() < 1 << 16 else (
        f"{margins.array.tolist()} around")


def block_of(graph: Graph, op: Op) -> list[tuple[int, int, int]]:
    """(block, before, after) of each axis of the image."""
    _, block, margins = graph.inputs_of(op)
    return [(size, *around) for size, around in
            zip(block.array.tolist(), margins.array.tolist())]


def pieces(image: tuple[int, ...], batches: tuple[int, ...],
           block: list[tuple[int, int, int]]) -> list[Piece]:
    """A piece for each element of a block; its input is the image, its output the batches."""
    image_steps, batch_steps = strides(image), strides(batches)
    found = []
    for number, element in enumerate(itertools.product(*(range(size) for size, *_ in block))):
        begin, shape, image_start = [], [image[0]], 0
        for axis, ((size, before, _), within) in enumerate(zip(block, element), 1):
            first = max(0, -(-(before - within) // size))
            last = min(batches[axis] - 1, (image[axis] - 1 + before - within) // size)
            begin.append(first)
            shape.append(last - first + 1)
            image_start += (first * size + within - before) * image_steps[axis]
        if min(shape) > 0:
            start = number * image[0] * batch_steps[0] + sum(
                first * step for first, step in zip(begin, batch_steps[1:]))
            found.append(Piece((*shape, image[-1]), image_start, start))
    return found


def image_strides(image: tuple[int, ...], block: list[tuple[int, int, int]]) -> tuple[int, ...]:
    """The image's strides from one block to the next."""
    first, *middle, last = strides(image)
    return (first, *(step * size for step, (size, *_) in zip(middle, block)), last)


def elements(block: list[tuple[int, int, int]]) -> int:
    return math.prod(size for size, *_ in block)
