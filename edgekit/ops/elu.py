"""ELU: output = input where that is positive, else exp(input) - 1."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 111, 0, range(1, 2)
INPUTS = (1, 1)
Options = NoOptions

CONSTRAINTS = (int8_activations, elementwise.ratio_fits)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `PopulateLookupTable` in elu.cc: float32, but for the exponential itself,
    which a C library rounds as if it were exact."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    real = np.float32(source.scale) * (inputs[0].astype(np.float32) - source.zero_point)
    negative = np.exp(np.minimum(real, 0).astype(np.float64)).astype(np.float32) - np.float32(1)
    steps = np.where(real < 0, negative, real) * (np.float32(1) / np.float32(target.scale))
    rounded = np.sign(steps) * np.floor(np.abs(steps.astype(np.float64)) + 0.5)
    return [elementwise.clipped(rounded.astype(np.float32) + np.float32(target.zero_point))]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
