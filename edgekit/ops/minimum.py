"""MINIMUM: the smaller of two inputs, broadcasting."""

from __future__ import annotations

from functools import partial

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import elementwise, extremum
from edgekit.ops.base import no_macs

CODE, OPTIONS_TYPE, VERSIONS = 57, 39, range(1, 5)
INPUTS = (2, 2)
Options, CONSTRAINTS = extremum.Options, extremum.CONSTRAINTS
shapes, macs = elementwise.shapes, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::MaximumMinimumBroadcastSlow`."""
    return [np.minimum(*inputs)]


lower = partial(extremum.lower, 0)
