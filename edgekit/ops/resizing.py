"""What RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR share: options, constraints and shapes."""

from __future__ import annotations


from edgekit.graph import Graph, Op
from edgekit.ops.base import constant_int32


def constant_size(graph: Graph, op: Op) -> bool | str:
    """the input must be [batch, height, width, channels], the new height and width constant int32
    from 1 to 65535, and corners not be both aligned and half a pixel away"""
    source, size = graph.inputs_of(op)
    answer = constant_int32(size, "the size")
    if answer is not True:
        return answer
    if len(source.shape) != 4 or size.shape != (2,):
        return f"{list(source.shape)} by a size of shape {list(size.shape)}"
    if op.options.align_corners and op.options.half_pixel_centers:
        return False
    limits = (*size.array.tolist(), *source.shape[1:3])
    return 1 <= min(limits) and max(limits) < 1 << 16 or f"{limits}"


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, size = graph.inputs_of(op)
    return ((source.shape[0], *size.array.tolist(), source.shape[3]),)
