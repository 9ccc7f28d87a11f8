"""FULLY_CONNECTED: output[b, o] = activation(sum_i input[b, i] * weights[o, i] + bias[o])."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import weighted
from edgekit.ops.base import Call, Constant, fused_activation, int8_activations, slot

CODE, OPTIONS_TYPE, VERSIONS = 9, 8, range(1, 13)
INPUTS = (2, 3)


@dataclass(frozen=True, slots=True)
class Options:
    activation: int = slot(0, "b")
    weights_format: int = slot(1, "b")
    keep_num_dims: bool = slot(2, "?", False)
    asymmetric_quantize_inputs: bool = slot(3, "?", False)


def plain_weights(graph: Graph, op: Op) -> bool:
    """the weights must be stored as [outputs, inputs], not shuffled"""
    return op.options.weights_format == 0


def depth_divides_input(graph: Graph, op: Op) -> bool | str:
    """the input's elements must be a whole number of rows of the weights' depth"""
    source, weights = graph.inputs_of(op)[:2]
    if len(weights.shape) != 2 or source.size % weights.shape[1]:
        return f"{source.shape} against {weights.shape}"
    return True


def rows_stay(graph: Graph, op: Op) -> bool | str:
    """where the dimensions are kept, the input's last one must be the weights' depth"""
    source, weights = graph.inputs_of(op)[:2]
    if op.options.keep_num_dims and source.shape[-1:] != weights.shape[1:]:
        return f"{source.shape} against {weights.shape}"
    return True


def quantized_by_output(graph: Graph, op: Op) -> bool | str:
    """the weights must have one scale, or one for each output, and so must the bias"""
    return weighted.channel_tables(graph, op, axis=0)


def sums_fit(graph: Graph, op: Op) -> bool | str:
    """the sum of products must fit int32 for every input"""
    return weighted.sums_fit(graph, op, axis=0)


CONSTRAINTS = (int8_activations, weighted.constant_int8_weights, weighted.constant_int32_bias,
               fused_activation, plain_weights, depth_divides_input, rows_stay,
               quantized_by_output, weighted.shifts_in_range, sums_fit)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, weights = graph.inputs_of(op)[:2]
    outputs, depth = weights.shape
    if op.options.keep_num_dims:
        return (source.shape[:-1] + (outputs,),)
    return ((source.size // depth, outputs),)


def macs(graph: Graph, op: Op) -> int:
    source, weights = graph.inputs_of(op)[:2]
    return source.size * math.prod(weights.shape[:1])


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::FullyConnected`, double rounding."""
    source, weights = graph.inputs_of(op)[:2]
    outputs, depth = weights.shape
    rows = inputs[0].reshape(-1, depth).astype(np.int64) - source.zero_point
    accumulator = rows @ inputs[1].astype(np.int64).T + weighted.bias_of(graph, op, outputs)
    result = weighted.requantize(graph, op, accumulator, op.options.activation)
    return [result.reshape(graph.outputs_of(op)[0].shape)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, weights = graph.inputs_of(op)[:2]
    outputs, depth = weights.shape
    # The input's zero point goes into the bias here, so that the inner loop does not see it.
    sums = weights.array.astype(np.int64).sum(axis=1)
    bias = weighted.bias_of(graph, op, outputs) - source.zero_point * sums
    params = (("rows", source.size // depth), ("input_depth", depth), ("output_depth", outputs),
              ("weights", Constant.of(weights.array)),
              ("bias", Constant.of(bias.astype(np.int32))),
              *weighted.requantization_params(graph, op, outputs, op.options.activation))
    return (Call("fully_connected", "fully_connected_s8", params, op.inputs[:1], op.outputs),)
