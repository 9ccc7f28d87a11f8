"""Kernels for the DSP instructions of Cortex-M4, M7 and M33: two products in one instruction."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.kernels.dsp import (add, average_pool_2d, conv_2d, depthwise_conv_2d,
                                 fully_connected)
from edgekit.ops.base import Call

_LOWER = {"ADD": add.lower, "AVERAGE_POOL_2D": average_pool_2d.lower, "DEPTHWISE_CONV_2D": depthwise_conv_2d.lower, "FULLY_CONNECTED": fully_connected.lower}


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    """The operator's calls, None where the portable kernel is to do it."""
    if op.kind == "CONV_2D":  # the one with a choice between flash and speed
        return conv_2d.lower(graph, op, optimize)
    return _LOWER[op.kind](graph, op) if op.kind in _LOWER else None
