"""LOGISTIC: output = 1 / (1 + exp(-input))."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, rounding_divide_by_pot
from edgekit.fixed_point_math import logistic
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 14, 0, range(1, 4)
INPUTS = (1, 1)

INPUT_INTEGER_BITS = 4  # the function is computed on [-16, 16)


@dataclass(frozen=True, slots=True)
class Options:
    pass


def input_scale_in_range(graph: Graph, op: Op) -> bool | str:
    """the input's scale must be between 2^-28 and 16"""
    scale = graph.inputs_of(op)[0].scale
    return 2**-28 <= scale < 16 or f"it is {scale:g}"


CONSTRAINTS = (int8_activations, elementwise.output_in_256ths, input_scale_in_range)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::Logistic` and `CalculateArithmeticOpDataLogistic`."""
    source = graph.inputs_of(op)[0]
    fraction_bits = 31 - INPUT_INTEGER_BITS
    mantissa, shift = math.frexp(elementwise.scale_of(source) * 2**fraction_bits)
    radius = (((1 << INPUT_INTEGER_BITS) - 1) << fraction_bits) >> shift
    offset = inputs[0].astype(np.int64) - source.zero_point
    inside = np.clip(offset, -radius, radius)
    scaled = multiply_by_quantized_multiplier(inside, int(mantissa * 2**31), shift)
    result = rounding_divide_by_pot(logistic(scaled, INPUT_INTEGER_BITS), 23) - 128
    result = np.clip(result, -128, 127)
    result = np.where(offset >= radius, 127, result)
    return [np.where(offset <= -radius, -128, result).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
