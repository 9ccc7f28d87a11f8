"""What ADD and SUB share: both inputs in units of the larger scale, then one requantization.

Source: TFLM `reference_integer_ops::AddFunc`, `reference_ops::SubElementwise`,
`CalculateOpDataAdd`, `CalculateOpDataSub`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from edgekit.graph import Graph, Op, Tensor
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, Constant, all_int8, fused_activation, slot

LEFT_SHIFT = 20  # the inputs are added with 20 more bits


@dataclass(frozen=True, slots=True)
class Options:
    activation: int = slot(0, "b")
    pot_scale_int16: bool = slot(1, "?", True)


def output_scale_not_tiny(graph: Graph, op: Op) -> bool:
    """twice the larger input scale must be below 2^20 output scales"""
    return quantize_multiplier(_output_multiplier(graph, op))[1] <= 0


CONSTRAINTS = (all_int8, fused_activation, elementwise.broadcastable, output_scale_not_tiny)


def _twice_max_scale(graph: Graph, op: Op) -> float:
    return 2 * max(elementwise.scale_of(tensor) for tensor in graph.inputs_of(op))


def _output_multiplier(graph: Graph, op: Op) -> float:
    target = graph.outputs_of(op)[0]
    return _twice_max_scale(graph, op) / ((1 << LEFT_SHIFT) * elementwise.scale_of(target))


def _rescaled(graph: Graph, op: Op, tensor: Tensor, values: np.ndarray) -> np.ndarray:
    """An input in units of twice the larger scale / 2^20; int64 array."""
    real = elementwise.scale_of(tensor) / _twice_max_scale(graph, op)
    shifted = (values.astype(np.int64) - tensor.zero_point) << LEFT_SHIFT
    return multiply_by_quantized_multiplier(shifted, *quantize_multiplier(real))


def reference(sign: int, graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """input1 + sign * input2."""
    a, b = (_rescaled(graph, op, tensor, values)
            for tensor, values in zip(graph.inputs_of(op), inputs))
    return [elementwise.requantize(graph, op, a + sign * b, _output_multiplier(graph, op))]


def lower(sign: int, graph: Graph, op: Op) -> tuple[Call, ...]:
    # The larger scale's multiplier is exactly 1/2: that input is only shifted. All else about
    # the sum depends on the other input's 256 values, and goes into a table.
    terms = sorted(zip(op.inputs, (1, sign)), key=lambda term: -graph.tensors[term[0]].scale)
    (first, first_sign), (second, second_sign) = terms
    step = first_sign << (LEFT_SHIFT - 1)
    table = (second_sign * _rescaled(graph, op, graph.tensors[second], np.arange(-128, 128))
             - step * graph.tensors[first].zero_point)
    multiplier, shift = quantize_multiplier(_output_multiplier(graph, op))
    params = (*elementwise.traversal_params(graph, (first, second)), ("input1_step", step),
              ("input2_table", Constant.of(table.astype(np.int32))),
              ("output_multiplier", multiplier), ("output_right_shift", -shift),
              *elementwise.clamp_params(graph, op))
    return (Call("add", "add_s8", params, (first, second), op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
