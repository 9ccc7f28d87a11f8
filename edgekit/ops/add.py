"""ADD: output = activation(input1 + input2), broadcasting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from edgekit.graph import Graph, Op, Tensor
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, Constant, all_int8, fused_activation, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 0, 11, range(1, 6)
INPUTS = (2, 2)

LEFT_SHIFT = 20  # the inputs are added with 20 more bits


@dataclass(frozen=True, slots=True)
class Options:
    activation: int = slot(0, "b")
    pot_scale_int16: bool = slot(1, "?", True)


def output_scale_not_tiny(graph: Graph, op: Op) -> bool:
    """twice the larger input scale must be below 2^20 output scales"""
    return quantize_multiplier(_output_multiplier(graph, op))[1] <= 0


CONSTRAINTS = (all_int8, fused_activation, elementwise.broadcastable, output_scale_not_tiny)

shapes, macs = elementwise.shapes, no_macs


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


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::AddFunc` and `CalculateOpDataAdd`."""
    a, b = (_rescaled(graph, op, tensor, values)
            for tensor, values in zip(graph.inputs_of(op), inputs))
    return [elementwise.requantize(graph, op, a + b, _output_multiplier(graph, op))]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    # The larger scale's multiplier is exactly 1/2: that input is only shifted. All else about
    # the sum depends on the other input's 256 values, and goes into a table.
    order = sorted(op.inputs, key=lambda i: -graph.tensors[i].scale)
    larger, other = (graph.tensors[i] for i in order)
    table = (_rescaled(graph, op, other, np.arange(-128, 128))
             - (larger.zero_point << (LEFT_SHIFT - 1)))
    multiplier, shift = quantize_multiplier(_output_multiplier(graph, op))
    params = (*elementwise.traversal_params(graph, tuple(order)),
              ("input2_table", Constant.of(table.astype(np.int32))),
              ("output_multiplier", multiplier), ("output_right_shift", -shift),
              *elementwise.clamp_params(graph, op))
    return (Call("add", "add_s8", params, tuple(order), op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
