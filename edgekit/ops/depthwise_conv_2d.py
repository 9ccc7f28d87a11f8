"""DEPTHWISE_CONV_2D: each input channel has its own depth_multiplier filters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import overlap, weighted, window
from edgekit.ops.base import Call, Constant, fused_activation, int8_activations, slot
from edgekit.ops.conv_2d import axes, filter_fits

CODE, OPTIONS_TYPE, VERSIONS = 4, 2, range(1, 8)
INPUTS = (2, 3)


@dataclass(frozen=True, slots=True)
class Options:
    padding: int = slot(0, "b")
    stride_w: int = slot(1, "i")
    stride_h: int = slot(2, "i")
    depth_multiplier: int = slot(3, "i")
    activation: int = slot(4, "b")
    dilation_w: int = slot(5, "i", 1)
    dilation_h: int = slot(6, "i", 1)


def depth_is_multiplied(graph: Graph, op: Op) -> bool | str:
    """the weights must be [1, height, width, input channels * depth_multiplier]"""
    source, weights = graph.inputs_of(op)[:2]
    multiplier = op.options.depth_multiplier
    if len(weights.shape) == 4 and weights.shape[0] == 1 and 0 not in weights.shape \
            and weights.shape[3] == source.shape[3] * multiplier:
        return True
    return f"{weights.shape} against {source.shape} and depth_multiplier {multiplier}"


def sums_fit(graph: Graph, op: Op) -> bool | str:
    """the sum of products must fit int32 for every input"""
    return weighted.sums_fit(graph, op, axis=3)


def quantized_by_output_channel(graph: Graph, op: Op) -> bool | str:
    """the weights must have one scale, or one for each output channel, and so must the bias"""
    return weighted.channel_tables(graph, op, axis=3)


CONSTRAINTS = (int8_activations, weighted.constant_int8_weights, weighted.constant_int32_bias,
               window.image, fused_activation, window.positive_strides,
               depth_is_multiplied, quantized_by_output_channel, filter_fits,
               weighted.shifts_in_range, sums_fit)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, weights = graph.inputs_of(op)[:2]
    rows, columns = axes(graph, op)
    return ((source.shape[0], rows.output, columns.output, weights.shape[3]),)


def macs(graph: Graph, op: Op) -> int:
    taps = graph.inputs_of(op)[1].shape[1:3]
    return graph.outputs_of(op)[0].size * math.prod(taps)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_integer_ops::DepthwiseConvPerChannel`; padding contributes
    nothing."""
    source, weights = graph.inputs_of(op)[:2]
    outputs = weights.shape[3]
    image = inputs[0].astype(np.int32) - source.zero_point
    image = np.repeat(image, op.options.depth_multiplier, axis=3)
    filters = inputs[1].reshape(-1, outputs).astype(np.int32)
    accumulator = np.zeros(shapes(graph, op)[0], np.int32)
    for view, tap in zip(window.taps(image, axes(graph, op), 0), filters):
        accumulator += view * tap
    accumulator = accumulator.astype(np.int64) + weighted.bias_of(graph, op, outputs)
    return [weighted.requantize(graph, op, accumulator, op.options.activation)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, weights = graph.inputs_of(op)[:2]
    outputs = weights.shape[3]
    taps = axes(graph, op)
    params = (*window.image_params(source.shape, taps),
              ("dilation_height", op.options.dilation_h),
              ("dilation_width", op.options.dilation_w),
              ("depth_multiplier", op.options.depth_multiplier),
              ("input_offset", -source.zero_point),
              ("weights", Constant.of(weights.array)),
              ("bias", Constant.of(weighted.bias_of(graph, op, outputs))),
              *weighted.requantization_params(graph, op, outputs, op.options.activation))
    return (Call("depthwise_conv_2d", "depthwise_conv_2d_s8", params, op.inputs[:1], op.outputs,
                 over=overlap.windowed(op.inputs[0], source.shape, taps, outputs)),)
