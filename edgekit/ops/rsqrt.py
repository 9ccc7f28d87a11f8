"""RSQRT: output = 1 / sqrt(input)."""

from __future__ import annotations

from functools import cache

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier, wrapped
from edgekit.fixed_point_math import inverse_square_root
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 76, 0, range(1, 4)
INPUTS = (1, 1)

SHIFT = 20  # more bits for the root itself
Options = NoOptions


def no_negative_inputs(graph: Graph, op: Op) -> bool | str:
    """the input's zero point must be -128, so that no input is negative"""
    # TFLM's inference fails on a negative input.
    zero_point = graph.inputs_of(op)[0].zero_point
    return zero_point == -128 or f"it is {zero_point}"


def shift_in_range(graph: Graph, op: Op) -> bool:
    """sqrt(input scale) * output scale must be between 2^-29 and 2^11"""
    return -11 <= _multiplier(graph, op)[1] <= 30


CONSTRAINTS = (int8_activations, no_negative_inputs, shift_in_range)

shapes, macs = elementwise.same_shape, no_macs


def _multiplier(graph: Graph, op: Op) -> tuple[int, int]:
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    return quantize_multiplier(1 / float(np.sqrt(np.float32(source.scale))
                                         * np.float32(target.scale)))


@cache
def _roots() -> np.ndarray:
    """1 / sqrt(i) with SHIFT more bits for i in 0 .. 255, of 0 none; int64."""
    roots = (inverse_square_root(max(value, 1)) for value in range(256))
    return np.array([multiply_by_quantized_multiplier(1, root, shift + SHIFT)
                     for root, shift in roots], np.int64)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `RsqrtEvalQuantized` and `SetRsqrtOutputMultiplier` in elementwise.cc."""
    multiplier, shift = _multiplier(graph, op)
    table = (multiply_by_quantized_multiplier(_roots(), multiplier, shift - SHIFT)
             + graph.outputs_of(op)[0].zero_point)
    table[0] = 127  # of 0: the largest output
    return [elementwise.clipped(wrapped(table))[inputs[0].astype(np.int64) + 128]]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
