"""Kernels for RV32IM and its compressed instructions: two pixels in a word, 28 registers."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.kernels.rv32 import conv_2d, depthwise_conv_2d, fully_connected
from edgekit.ops.base import Call

_LOWER = {"CONV_2D": conv_2d.lower, "DEPTHWISE_CONV_2D": depthwise_conv_2d.lower,
          "FULLY_CONNECTED": fully_connected.lower}


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    """The operator's calls, None where the portable kernel is to do it."""
    return _LOWER[op.kind](graph, op) if op.kind in _LOWER else None
