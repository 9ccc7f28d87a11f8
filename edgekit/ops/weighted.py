"""What convolutions and fully connected layers share: weights, bias and requantization."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import (INT32_MAX, activation_range, multiply_by_quantized_multiplier,
                                 quantize_multiplier, wrapped)
from edgekit.graph import DType, Graph, Op
from edgekit.ops.base import Constant, is_int8

_LARGEST_PRODUCT = 255 * 128  # of an input without its zero point, and a weight


def constant_int8_weights(graph: Graph, op: Op) -> bool | str:
    """the weights must be constant int8 with zero point 0"""
    weights = graph.inputs_of(op)[1]
    if not is_int8(weights) or not weights.is_constant:
        return f"'{weights.name}' is not" if weights else "they are left out"
    if weights.quant is None or any(weights.quant.zero_point):
        return f"'{weights.name}' has another zero point"
    return True


def constant_int32_bias(graph: Graph, op: Op) -> bool | str:
    """the bias, where there is one, must be constant int32"""
    bias = graph.inputs_of(op)[2] if len(op.inputs) > 2 else None
    if bias is not None and (bias.dtype is not DType.INT32 or not bias.is_constant):
        return f"'{bias.name}' is not"
    return True


def channel_tables(graph: Graph, op: Op, axis: int) -> bool | str:
    """Whether scales and bias count the output channels, which lie along the weights' `axis`."""
    weights = graph.inputs_of(op)[1]
    channels, scales = weights.shape[axis], len(weights.quant.scale)
    if scales != 1 and (scales != channels or weights.quant.axis != axis):
        return f"{scales} scales along axis {weights.quant.axis} for {channels} channels"
    bias = graph.inputs_of(op)[2] if len(op.inputs) > 2 else None
    if bias is not None and bias.size != channels:
        return f"{bias.size} biases for {channels} channels"
    return True


def sums_fit(graph: Graph, op: Op, axis: int) -> bool | str:
    """Whether no input can make a channel's sum of products leave int32; the bias may wrap."""
    weights = graph.inputs_of(op)[1]
    channels = weights.shape[axis]
    if weights.size // channels * _LARGEST_PRODUCT <= INT32_MAX:
        return True
    magnitudes = np.abs(np.moveaxis(weights.array.astype(np.int64), axis, 0)).reshape(channels, -1)
    largest = int(magnitudes.sum(axis=1).max()) * 255
    return largest <= INT32_MAX or f"it can reach {largest:,}"


def shifts_in_range(graph: Graph, op: Op) -> bool | str:
    """input scale * weight scale / output scale must be below 2^30 for every channel"""
    _, shift = multipliers(graph, op)
    return bool(shift.max() <= 30)


def multipliers(graph: Graph, op: Op) -> tuple[np.ndarray, np.ndarray]:
    """(multiplier, shift) of each of the weights' scales, int32 arrays.

    Source: TFLite `PopulateConvolutionQuantizationParams`: the ratio is computed in double
    from the float32 scales.
    """
    source, weights = graph.inputs_of(op)[:2]
    target = graph.outputs_of(op)[0]
    pairs = [quantize_multiplier(float(np.float32(source.scale)) * float(np.float32(scale))
                                 / float(np.float32(target.scale)))
             for scale in weights.quant.scale]
    multiplier, shift = zip(*pairs)
    return np.array(multiplier, np.int32), np.array(shift, np.int32)


def bias_of(graph: Graph, op: Op, channels: int) -> np.ndarray:
    """The bias as int32, zeros where it is left out."""
    bias = graph.inputs_of(op)[2] if len(op.inputs) > 2 else None
    return np.zeros(channels, np.int32) if bias is None else bias.array.reshape(-1)


def requantize(graph: Graph, op: Op, accumulator: np.ndarray, activation: int) -> np.ndarray:
    """int32 accumulators (channels last) -> int8 outputs."""
    target = graph.outputs_of(op)[0]
    multiplier, shift = multipliers(graph, op)
    low, high = activation_range(activation, target.scale, target.zero_point)
    scaled = multiply_by_quantized_multiplier(accumulator, multiplier, shift)
    return np.clip(wrapped(scaled + target.zero_point), low, high).astype(np.int8)


def requantization_params(graph: Graph, op: Op, channels: int, activation: int):
    """The struct fields that every weighted kernel ends with: per-channel tables and clamp."""
    target = graph.outputs_of(op)[0]
    multiplier, shift = multipliers(graph, op)
    low, high = activation_range(activation, target.scale, target.zero_point)
    return (("multiplier", Constant.of(np.broadcast_to(multiplier, channels))),
            ("shift", Constant.of(np.broadcast_to(shift, channels).astype(np.int8))),
            ("output_zero_point", target.zero_point),
            ("activation_min", low), ("activation_max", high))
