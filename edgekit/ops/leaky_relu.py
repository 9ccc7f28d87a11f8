"""LEAKY_RELU: output = input where that is positive, else alpha * input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier, wrapped
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, int8_activations, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 98, 75, range(1, 3)
INPUTS = (1, 1)


@dataclass(frozen=True, slots=True)
class Options:
    alpha: float = slot(0, "f", 0.0)


def slope_fits(graph: Graph, op: Op) -> bool:
    """|alpha| * input scale / output scale must be below 2^23"""
    return _alpha_multiplier(graph, op)[1] <= 23


CONSTRAINTS = (int8_activations, elementwise.ratio_fits, slope_fits)

shapes, macs = elementwise.same_shape, no_macs


def _alpha_multiplier(graph: Graph, op: Op) -> tuple[int, int]:
    """(multiplier, shift) of the slope's magnitude."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    alpha = abs(float(np.float32(op.options.alpha)))
    return quantize_multiplier(elementwise.scale_of(source) * alpha / elementwise.scale_of(target))


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::QuantizeLeakyRelu` and `CalculateOpDataLeakyRelu`."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    offset = inputs[0].astype(np.int64) - source.zero_point
    sign = -1 if op.options.alpha < 0 else 1
    below = sign * multiply_by_quantized_multiplier(offset, *_alpha_multiplier(graph, op))
    above = multiply_by_quantized_multiplier(offset, *elementwise.ratio(graph, op))
    return [elementwise.clipped(wrapped(np.where(offset >= 0, above, below) + target.zero_point))]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
