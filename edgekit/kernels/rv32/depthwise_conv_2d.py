"""DEPTHWISE_CONV_2D 3x3: nine weights stay in registers, the high word of a product is enough."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.kernels import row_pairs
from edgekit.ops.base import Call

# Accumulators below 2^22 are shifted by 9 bits before they are multiplied: see requantization.py.
_WAY = (23, 22)


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    return row_pairs.lower(graph, op, "depthwise_conv_2d_3x3_s8_rv32", _WAY)
