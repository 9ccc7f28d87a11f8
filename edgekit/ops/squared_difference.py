"""SQUARED_DIFFERENCE: output = (input1 - input2)^2, broadcasting."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import (multiply_by_quantized_multiplier, quantize_multiplier, wrapped)
from edgekit.graph import Graph, Op, Tensor
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, Constant, NoOptions, all_int8, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 99, 76, range(1, 4)
INPUTS = (2, 2)

LEFT_SHIFT = 7  # the inputs are subtracted with 7 more bits
Options = NoOptions


def square_fits(graph: Graph, op: Op) -> bool:
    """the square of twice the larger input scale must be below 2^15 output scales"""
    # A square is at most (255 * 2^7)^2, which one shift to the left still keeps in int32.
    return _output_multiplier(graph, op)[1] <= 1


CONSTRAINTS = (all_int8, elementwise.broadcastable, square_fits)

shapes, macs = elementwise.shapes, no_macs


def _twice_max_scale(graph: Graph, op: Op) -> float:
    return 2 * max(elementwise.scale_of(tensor) for tensor in graph.inputs_of(op))


def _output_multiplier(graph: Graph, op: Op) -> tuple[int, int]:
    scale = elementwise.scale_of(graph.outputs_of(op)[0])
    return quantize_multiplier(_twice_max_scale(graph, op)**2 / ((1 << 2 * LEFT_SHIFT) * scale))


def _rescaled(graph: Graph, op: Op, tensor: Tensor, values: np.ndarray) -> np.ndarray:
    """An input in units of twice the larger scale / 2^7; int64 array."""
    real = elementwise.scale_of(tensor) / _twice_max_scale(graph, op)
    shifted = (values.astype(np.int64) - tensor.zero_point) << LEFT_SHIFT
    return multiply_by_quantized_multiplier(shifted, *quantize_multiplier(real))


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `SquaredDifference` and `PrepareQuantized` in squared_difference.cc."""
    a, b = (_rescaled(graph, op, tensor, values)
            for tensor, values in zip(graph.inputs_of(op), inputs))
    scaled = multiply_by_quantized_multiplier((a - b)**2, *_output_multiplier(graph, op))
    zero_point = graph.outputs_of(op)[0].zero_point
    return [np.clip(wrapped(scaled + zero_point), -128, 127).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    tables = [_rescaled(graph, op, tensor, np.arange(-128, 128)).astype(np.int16)
              for tensor in graph.inputs_of(op)]
    multiplier, shift = _output_multiplier(graph, op)
    params = (*elementwise.traversal_params(graph, op.inputs),
              ("input1_table", Constant.of(tables[0])), ("input2_table", Constant.of(tables[1])),
              ("output_multiplier", multiplier), ("output_shift", shift),
              ("output_zero_point", graph.outputs_of(op)[0].zero_point))
    return (Call("squared_difference", "squared_difference_s8", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
