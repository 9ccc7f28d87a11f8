"""AVERAGE_POOL_2D: four channels at once, summed as halves of two words."""

from __future__ import annotations

from dataclasses import replace

from edgekit.graph import Graph, Op
from edgekit.ops import average_pool_2d, pooling
from edgekit.ops.base import Call

CHANNELS, MAX_PIXELS = 4, 255  # 255 * -128 fits int16


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    rows, columns = pooling.axes(graph, op)
    pixels = min(rows.filter, rows.size) * min(columns.filter, columns.size)
    if graph.inputs_of(op)[0].shape[3] < CHANNELS or pixels > MAX_PIXELS:
        return None
    (portable,) = average_pool_2d.lower(graph, op)
    return (replace(portable, kernel="average_pool_2d_s8_dsp"),)
