"""TRANSPOSE_CONV: each input pixel spreads over the output pixels that a convolution would take it
from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import weighted, window
from edgekit.ops.base import (Call, Constant, Constraint, constant_int32, fused_activation,
                              int8_activations, slot)

CODE, OPTIONS_TYPE, VERSIONS = 67, 49, range(1, 6)
INPUTS = (3, 4)


@dataclass(frozen=True, slots=True)
class Options:
    padding: int = slot(0, "b")
    stride_w: int = slot(1, "i")
    stride_h: int = slot(2, "i")
    activation: int = slot(3, "b")


def _ordered(op: Op) -> Op:
    """The operator with its inputs in the order of a convolution's: image, weights, bias."""
    _, weights, source, *bias = op.inputs
    return replace(op, inputs=(source, weights, *bias))


def _as_convolution(constraint: Constraint) -> Constraint:
    def checked(graph: Graph, op: Op) -> bool | str:
        return constraint(graph, _ordered(op))

    checked.__doc__ = constraint.__doc__
    return checked


def constant_shape(graph: Graph, op: Op) -> bool | str:
    """the output's shape must be constant int32, four numbers from 1 on"""
    shape = graph.inputs_of(op)[0]
    answer = constant_int32(shape, "it")
    if answer is not True:
        return answer
    if shape.shape != (4,) or min(shape.array.tolist()) < 1:
        return f"{shape.array.tolist()}"
    return math.prod(shape.array.tolist()) < 1 << 28 or f"{shape.array.tolist()}"


def filters_cover_all_channels(graph: Graph, op: Op) -> bool | str:
    """the weights must be [outputs, height, width, input channels]"""
    shape, weights, source = graph.inputs_of(op)[:3]
    outputs, batches = int(shape.array[3]), int(shape.array[0])
    if len(weights.shape) == 4 and 0 not in weights.shape and batches == source.shape[0] \
            and (weights.shape[0], weights.shape[3]) == (outputs, source.shape[3]):
        return True
    return f"{weights.shape} from {source.shape} to {shape.array.tolist()}"


def size_is_a_convolutions(graph: Graph, op: Op) -> bool | str:
    """a convolution of the output must have the input's height and width"""
    source, taps = graph.inputs_of(op)[2], axes(graph, op)
    sizes = tuple(axis.output for axis in taps)
    if sizes != source.shape[1:3]:
        return f"{sizes}, not {source.shape[1:3]}"
    return window.reach_in_range(*taps)


def quantized_by_output_channel(graph: Graph, op: Op) -> bool | str:
    """the weights must have one scale, or one for each output channel, and so must the bias"""
    return weighted.channel_tables(graph, _ordered(op), axis=0)


def sums_fit(graph: Graph, op: Op) -> bool | str:
    """the sum of products must fit int32 for every input"""
    return weighted.sums_fit(graph, _ordered(op), axis=0)


CONSTRAINTS = (*map(_as_convolution, (int8_activations, weighted.constant_int8_weights,
                                      weighted.constant_int32_bias, window.image)),
               constant_shape, fused_activation, window.positive_strides,
               filters_cover_all_channels, size_is_a_convolutions, quantized_by_output_channel,
               _as_convolution(weighted.shifts_in_range), sums_fit)


def axes(graph: Graph, op: Op) -> tuple[window.Axis, window.Axis]:
    """The window of the convolution that would go the other way, over the output."""
    shape, weights = graph.inputs_of(op)[:2]
    return window.axes(tuple(shape.array.tolist()), op.options, weights.shape[1:3])


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    return (tuple(graph.inputs_of(op)[0].array.tolist()),)


def macs(graph: Graph, op: Op) -> int:
    weights, source = graph.inputs_of(op)[1:3]
    return source.size * math.prod(weights.shape[:3])


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::TransposeConv`."""
    shape, weights, source = graph.inputs_of(op)[:3]
    rows, columns = axes(graph, op)
    batches, height, width, _ = source.shape
    # All that the filters reach; what lies outside the output is cut away.
    total = np.zeros((batches, (height - 1) * rows.stride + max(rows.filter, rows.stride)
                      + rows.size, (width - 1) * columns.stride
                      + max(columns.filter, columns.stride) + columns.size, weights.shape[0]),
                     np.int64)
    image = inputs[2].astype(np.int64) - source.zero_point
    for y in range(rows.filter):
        for x in range(columns.filter):
            total[:, y:y + height * rows.stride:rows.stride,
                  x:x + width * columns.stride:columns.stride] += (
                      image @ inputs[1][:, y, x].astype(np.int64).T)
    total = total[:, rows.pad:rows.pad + rows.size, columns.pad:columns.pad + columns.size]
    ordered = _ordered(op)
    total = total + weighted.bias_of(graph, ordered, weights.shape[0])
    return [weighted.requantize(graph, ordered, total, op.options.activation)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    weights, source = graph.inputs_of(op)[1:3]
    rows, columns = axes(graph, op)
    ordered, outputs = _ordered(op), weights.shape[0]
    params = (("batches", source.shape[0]), ("input_height", source.shape[1]),
              ("input_width", source.shape[2]), ("input_depth", source.shape[3]),
              ("output_height", rows.size), ("output_width", columns.size),
              ("output_depth", outputs), ("filter_height", rows.filter),
              ("filter_width", columns.filter), ("stride_height", rows.stride),
              ("stride_width", columns.stride), ("pad_height", rows.pad),
              ("pad_width", columns.pad), ("input_offset", -source.zero_point),
              ("weights", Constant.of(weights.array)),
              ("bias", Constant.of(weighted.bias_of(graph, ordered, outputs))),
              *weighted.requantization_params(graph, ordered, outputs, op.options.activation))
    return (Call("transpose_conv", "transpose_conv_s8", params, op.inputs[2:3], op.outputs),)
