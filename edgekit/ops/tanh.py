"""TANH."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, rounding_divide_by_pot
from edgekit.fixed_point_math import tanh
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 28, 0, range(1, 4)
INPUTS = (1, 1)

INPUT_INTEGER_BITS = 4  # the function is computed on [-16, 16)
Options = NoOptions


def output_in_128ths(graph: Graph, op: Op) -> bool | str:
    """the output must have scale 1/128 and zero point 0"""
    quant = graph.outputs_of(op)[0].quant
    if (quant.scale, quant.zero_point) != ((1 / 128,), (0,)):
        return f"they are {quant.scale[0]:g} and {quant.zero_point[0]}"
    return True


CONSTRAINTS = (int8_activations, output_in_128ths, elementwise.input_scale_in_range)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::Tanh` and `CalculateArithmeticOpData` of tanh.cc."""
    source = graph.inputs_of(op)[0]
    radius, *multiplier = elementwise.limited_radius(source.scale, INPUT_INTEGER_BITS)
    offset = inputs[0].astype(np.int64) - source.zero_point
    scaled = multiply_by_quantized_multiplier(np.clip(offset, -radius, radius), *multiplier)
    result = elementwise.clipped(rounding_divide_by_pot(tanh(scaled, INPUT_INTEGER_BITS), 24))
    result = np.where(offset >= radius, 127, result)
    return [np.where(offset <= -radius, -128, result).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
