"""AVERAGE_POOL_2D: the mean over each window; padding does not count."""

from __future__ import annotations

from functools import partial

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import pooling, window
from edgekit.ops.base import no_macs

CODE, OPTIONS_TYPE, VERSIONS = 1, 5, range(1, 4)
INPUTS = (1, 1)
Options = pooling.Options
CONSTRAINTS, shapes, macs = pooling.CONSTRAINTS, pooling.shapes, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::AveragePool`: the sum is divided by the number of
    pixels inside the image, rounded half away from zero."""
    axes, image = pooling.axes(graph, op), inputs[0]
    total = sum(window.taps(image.astype(np.int32), axes, 0))
    count = sum(window.taps(np.ones((1, *image.shape[1:3], 1), np.int32), axes, 0))
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return [np.clip(mean, *pooling.clamp_range(graph, op)).astype(np.int8)]


lower = partial(pooling.lower, "average_pool_2d")
