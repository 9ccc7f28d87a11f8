"""MAX_POOL_2D: the maximum over each window; padding does not count."""

from __future__ import annotations

from functools import partial, reduce

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import pooling, window
from edgekit.ops.base import no_macs

CODE, OPTIONS_TYPE, VERSIONS = 17, 5, range(1, 4)
INPUTS = (1, 1)
Options = pooling.Options
CONSTRAINTS, shapes, macs = pooling.CONSTRAINTS, pooling.shapes, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::MaxPool`."""
    largest = reduce(np.maximum, window.taps(inputs[0], pooling.axes(graph, op), -128))
    return [np.clip(largest, *pooling.clamp_range(graph, op)).astype(np.int8)]


lower = partial(pooling.lower, "max_pool_2d")
