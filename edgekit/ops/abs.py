"""ABS."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, wrapped
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 101, 78, range(1, 6)
INPUTS = (1, 1)
Options = NoOptions

CONSTRAINTS = (int8_activations, elementwise.ratio_fits)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `AbsEvalQuantized` and `PrepareAbsRsqrt` in elementwise.cc."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    magnitude = np.abs(inputs[0].astype(np.int64) - source.zero_point)
    if np.float32(source.scale) != np.float32(target.scale):
        magnitude = multiply_by_quantized_multiplier(magnitude, *elementwise.ratio(graph, op))
    return [elementwise.clipped(wrapped(magnitude + target.zero_point))]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
