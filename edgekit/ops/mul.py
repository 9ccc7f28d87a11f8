"""MUL: output = activation(input1 * input2), broadcasting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.fixed_point import quantize_multiplier
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, all_int8, fused_activation, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 18, 21, range(1, 8)
INPUTS = (2, 2)


@dataclass(frozen=True, slots=True)
class Options:
    activation: int = slot(0, "b")


def product_fits(graph: Graph, op: Op) -> bool | str:
    """input1 scale * input2 scale / output scale must be below 2^15"""
    # 255 * 255 * 2^15 is the last that TFLM's int32 holds.
    return quantize_multiplier(_multiplier(graph, op))[1] <= 15


CONSTRAINTS = (all_int8, fused_activation, elementwise.broadcastable, product_fits)

shapes, macs = elementwise.shapes, no_macs


def _multiplier(graph: Graph, op: Op) -> float:
    a, b = (elementwise.scale_of(tensor) for tensor in graph.inputs_of(op))
    return a * b / elementwise.scale_of(graph.outputs_of(op)[0])


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::Mul` and `CalculateOpDataMul`."""
    a, b = (values.astype(np.int64) - tensor.zero_point
            for tensor, values in zip(graph.inputs_of(op), inputs))
    return [elementwise.requantize(graph, op, a * b, _multiplier(graph, op))]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    a, b = graph.inputs_of(op)
    multiplier, shift = quantize_multiplier(_multiplier(graph, op))
    params = (*elementwise.traversal_params(graph, op.inputs),
              ("input1_zero_point", a.zero_point), ("input2_zero_point", b.zero_point),
              ("output_multiplier", multiplier), ("output_shift", shift),
              *elementwise.clamp_params(graph, op))
    return (Call("mul", "mul_s8", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
