"""DEPTHWISE_CONV_2D 3x3: a channel's weights, two rows in a word."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.kernels import requantization, row_pairs
from edgekit.ops.base import Call


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    return row_pairs.lower(graph, op, "depthwise_conv_2d_3x3_s8_armv6m", requantization.BY_11)
