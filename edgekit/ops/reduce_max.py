"""REDUCE_MAX: the largest element over any axes."""

from __future__ import annotations

from functools import partial

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import reduction
from edgekit.ops.base import no_macs

CODE, OPTIONS_TYPE, VERSIONS = 82, 27, range(1, 4)
INPUTS = (2, 2)
Options, shapes, macs = reduction.Options, reduction.shapes, no_macs
CONSTRAINTS = reduction.EXTREMUM_CONSTRAINTS


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `EvalMinMaxHelper`."""
    return [inputs[0].max(axis=reduction.axes(graph, op)).reshape(shapes(graph, op)[0])]


lower = partial(reduction.lower_extremum, 1)
