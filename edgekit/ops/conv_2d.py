"""CONV_2D: output[n, y, x, o] = activation(sum input[n, y', x', i] * weights[o, ky, kx, i] + bias)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import overlap, weighted, window
from edgekit.ops.base import Call, Constant, Over, fused_activation, int8_activations, slot

CODE, OPTIONS_TYPE, VERSIONS = 3, 1, range(1, 9)
INPUTS = (2, 3)


@dataclass(frozen=True, slots=True)
class Options:
    padding: int = slot(0, "b")
    stride_w: int = slot(1, "i")
    stride_h: int = slot(2, "i")
    activation: int = slot(3, "b")
    dilation_w: int = slot(4, "i", 1)
    dilation_h: int = slot(5, "i", 1)


def axes(graph: Graph, op: Op) -> tuple[window.Axis, window.Axis]:
    source, weights = graph.inputs_of(op)[:2]
    return window.axes(source.shape, op.options, weights.shape[1:3],
                       (op.options.dilation_h, op.options.dilation_w))


def filters_cover_all_channels(graph: Graph, op: Op) -> bool | str:
    """the weights must be [outputs, height, width, input channels]; groups are not supported"""
    source, weights = graph.inputs_of(op)[:2]
    if len(weights.shape) == 4 and 0 not in weights.shape and weights.shape[3] == source.shape[3]:
        return True
    return f"{weights.shape} against {source.shape}"


def filter_fits(graph: Graph, op: Op) -> bool | str:
    """without padding, the dilated filter must fit into the image; at most 4096 long beyond it"""
    rows, columns = axes(graph, op)
    if min(rows.output, columns.output) >= 1:
        return window.reach_in_range(rows, columns)
    return f"{rows.reach}x{columns.reach} against {rows.size}x{columns.size}"


def sums_fit(graph: Graph, op: Op) -> bool | str:
    """the sum of products must fit int32 for every input"""
    return weighted.sums_fit(graph, op, axis=0)


def quantized_by_output_channel(graph: Graph, op: Op) -> bool | str:
    """the weights must have one scale, or one for each output channel, and so must the bias"""
    return weighted.channel_tables(graph, op, axis=0)


CONSTRAINTS = (int8_activations, weighted.constant_int8_weights, weighted.constant_int32_bias,
               window.image, fused_activation, window.positive_strides,
               filters_cover_all_channels, quantized_by_output_channel, filter_fits,
               weighted.shifts_in_range, sums_fit)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, weights = graph.inputs_of(op)[:2]
    rows, columns = axes(graph, op)
    return ((source.shape[0], rows.output, columns.output, weights.shape[0]),)


def macs(graph: Graph, op: Op) -> int:
    taps = graph.inputs_of(op)[1].shape[1:]
    return graph.outputs_of(op)[0].size * math.prod(taps)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::ConvPerChannel`; padding contributes nothing.

    The products are summed in double, which is exact (below 2^53) and runs in BLAS.
    """
    source, weights = graph.inputs_of(op)[:2]
    outputs = weights.shape[0]
    image = inputs[0].astype(np.float64) - source.zero_point
    patches = np.stack(list(window.taps(image, axes(graph, op), 0)), axis=3)
    filters = inputs[1].reshape(outputs, -1).astype(np.float64)
    sums = patches.reshape(-1, filters.shape[1]) @ filters.T
    accumulator = sums.astype(np.int64) + weighted.bias_of(graph, op, outputs)
    result = weighted.requantize(graph, op, accumulator, op.options.activation)
    return [result.reshape(shapes(graph, op)[0])]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    weights = graph.inputs_of(op)[1]
    pointwise = weights.shape[1:3] == (1, 1) and op.options.stride_h == op.options.stride_w == 1
    return _lower_pointwise(graph, op) if pointwise else _lower_general(graph, op)


def _lower_general(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, weights = graph.inputs_of(op)[:2]
    outputs = weights.shape[0]
    taps = axes(graph, op)
    params = (*window.image_params(source.shape, taps),
              ("dilation_height", op.options.dilation_h),
              ("dilation_width", op.options.dilation_w),
              ("output_depth", outputs), ("input_offset", -source.zero_point),
              ("weights", Constant.of(weights.array)),
              ("bias", Constant.of(weighted.bias_of(graph, op, outputs))),
              *weighted.requantization_params(graph, op, outputs, op.options.activation))
    return (Call("conv_2d", "conv_2d_s8", params, op.inputs[:1], op.outputs,
                 over=overlap.windowed(op.inputs[0], source.shape, taps, outputs)),)


def _lower_pointwise(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, weights = graph.inputs_of(op)[:2]
    outputs, depth = weights.shape[0], weights.shape[3]
    # Every tap is inside the image, so the input's zero point can go into the bias here.
    sums = weights.array.astype(np.int64).reshape(outputs, depth).sum(axis=1)
    bias = weighted.bias_of(graph, op, outputs) - source.zero_point * sums
    params = (("pixels", source.size // depth), ("input_depth", depth), ("output_depth", outputs),
              ("weights", Constant.of(weights.array)),
              ("bias", Constant.of(bias.astype(np.int32))),
              *weighted.requantization_params(graph, op, outputs, op.options.activation))
    # Pixels go in pairs; a pair's first outputs are written before its inputs are read again.
    pixels = source.size // depth
    first = np.arange(0, pixels, 2)
    reach = overlap.lead(np.minimum(first + 2, pixels) * outputs, first * depth,
                         reads_first=False)
    return (Call("conv_2d_1x1", "conv_2d_1x1_s8", params, op.inputs[:1], op.outputs,
                 over=(Over(op.inputs[0], reach),)),)
