"""REDUCE_MIN: the smallest element over any axes."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies, reduction
from edgekit.ops.base import Call, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 89, 27, range(1, 4)
INPUTS = (2, 2)
Options, shapes, macs = reduction.Options, reduction.shapes, no_macs

CONSTRAINTS = (copies.moves_int8(0), reduction.constant_axes, reduction.at_most_two_groups)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `EvalMinMaxHelper`."""
    return [inputs[0].min(axis=reduction.axes(graph, op)).reshape(shapes(graph, op)[0])]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    params = (*reduction.loops(graph, op), ("is_maximum", 0))
    return (Call("reduce_extremum", "reduce_extremum_s8", params, op.inputs[:1], op.outputs),)
