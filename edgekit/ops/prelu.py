"""PRELU: output = input where that is positive, else input * alpha, alpha broadcast."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import (multiply_by_quantized_multiplier, quantize_multiplier, wrapped)
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, NoOptions, all_int8, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 54, 0, range(1, 2)
INPUTS = (2, 2)
Options = NoOptions


def products_fit(graph: Graph, op: Op) -> bool:
    """input scale / output scale must be below 2^23, and times the alpha's scale below 2^15"""
    # 255 * 2^23 and 255 * 255 * 2^15 are the last that TFLM's int32 holds.
    (_, positive), (_, negative) = _multipliers(graph, op)
    return positive <= 23 and negative <= 15


CONSTRAINTS = (all_int8, elementwise.broadcastable, products_fit)

shapes, macs = elementwise.shapes, no_macs


def _multipliers(graph: Graph, op: Op) -> tuple[tuple[int, int], tuple[int, int]]:
    """(multiplier, shift) for inputs from 0 on, and for products below."""
    source, alpha = (elementwise.scale_of(tensor) for tensor in graph.inputs_of(op))
    target = elementwise.scale_of(graph.outputs_of(op)[0])
    return quantize_multiplier(source / target), quantize_multiplier(source * alpha / target)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::BroadcastPrelu4DSlow` and `CalculatePreluParams`."""
    value, alpha = (values.astype(np.int64) - tensor.zero_point
                    for tensor, values in zip(graph.inputs_of(op), inputs))
    positive, negative = _multipliers(graph, op)
    scaled = np.where(value >= 0, multiply_by_quantized_multiplier(value, *positive),
                      multiply_by_quantized_multiplier(value * alpha, *negative))
    zero_point = graph.outputs_of(op)[0].zero_point
    return [np.clip(wrapped(scaled + zero_point), -128, 127).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, alpha = graph.inputs_of(op)
    positive, negative = _multipliers(graph, op)
    params = (*elementwise.traversal_params(graph, op.inputs),
              ("input_zero_point", source.zero_point), ("alpha_zero_point", alpha.zero_point),
              ("positive_multiplier", positive[0]), ("positive_shift", positive[1]),
              ("negative_multiplier", negative[0]), ("negative_shift", negative[1]),
              ("output_zero_point", graph.outputs_of(op)[0].zero_point))
    return (Call("prelu", "prelu_s8", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
