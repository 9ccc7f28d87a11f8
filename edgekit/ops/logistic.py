"""LOGISTIC: output = 1 / (1 + exp(-input))."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, rounding_divide_by_pot
from edgekit.fixed_point_math import logistic
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 14, 0, range(1, 4)
INPUTS = (1, 1)

INPUT_INTEGER_BITS = 4  # the function is computed on [-16, 16)
Options = NoOptions

CONSTRAINTS = (int8_activations, elementwise.output_in_256ths,
               elementwise.input_scale_in_range)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::Logistic` and `CalculateArithmeticOpDataLogistic`."""
    source = graph.inputs_of(op)[0]
    radius, *multiplier = elementwise.limited_radius(source.scale, INPUT_INTEGER_BITS)
    offset = inputs[0].astype(np.int64) - source.zero_point
    inside = np.clip(offset, -radius, radius)
    scaled = multiply_by_quantized_multiplier(inside, *multiplier)
    result = rounding_divide_by_pot(logistic(scaled, INPUT_INTEGER_BITS), 23) - 128
    result = np.clip(result, -128, 127)
    result = np.where(offset >= radius, 127, result)
    return [np.where(offset <= -radius, -128, result).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
