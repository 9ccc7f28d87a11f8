"""RELU: output = max(input, 0), rescaled to the output's quantization."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 19, 0, range(1, 4)
INPUTS = (1, 1)
Options = NoOptions

CONSTRAINTS = (int8_activations, elementwise.ratio_fits)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `ReluQuantized` and `CalculateReluOpData`.

    The scales are divided in double, as in TFLM's wheel of October 2026. TFLM's sources of
    August 2026 (90b983c2) divide in float32, which moves an output by one step for few scales.
    """
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    offset = inputs[0].astype(np.int64) - source.zero_point
    scaled = multiply_by_quantized_multiplier(offset, *elementwise.ratio(graph, op)) + target.zero_point
    return [np.clip(scaled, target.zero_point, 127).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
