"""ARG_MAX: where along an axis the largest element is, the first of equal ones."""

from __future__ import annotations

from functools import partial

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import arg_extremum
from edgekit.ops.base import no_macs

CODE, OPTIONS_TYPE, VERSIONS = 56, 40, range(1, 4)
INPUTS = (2, 2)
Options, CONSTRAINTS = arg_extremum.Options, arg_extremum.CONSTRAINTS
shapes, macs = arg_extremum.shapes, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::ArgMinMax`."""
    place = inputs[0].argmax(axis=arg_extremum.axis_of(graph, op))
    return [np.asarray(place, np.int32).reshape(shapes(graph, op)[0])]


lower = partial(arg_extremum.lower, 1)
