"""What each channel of a tensor can be, whatever the model's input: intervals, layer after layer.

Requantization never falls as the accumulator rises, so an interval of sums becomes one of outputs
by its two ends. A channel whose interval is one value is a constant: networks that were trained
with a rectifier have many, and the layers behind them lose those weights too.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from edgekit.fixed_point import INT32_MAX, INT32_MIN
from edgekit.graph import Graph, Op
from edgekit.ops import conv_2d, depthwise_conv_2d, weighted

_AXES = {"CONV_2D": conv_2d.axes, "DEPTHWISE_CONV_2D": depthwise_conv_2d.axes}


def of_tensor(graph: Graph, tensor: int) -> tuple[np.ndarray, np.ndarray]:
    """(lowest, highest) value of each channel (the last axis) of an int8 tensor, int64."""
    writer = next((op for op in graph.ops if tensor in op.outputs), None)
    if writer is not None and writer.kind in _AXES:
        return _of_output(graph, writer)
    channels = graph.tensors[tensor].shape[-1] if graph.tensors[tensor].shape else 1
    return np.full(channels, -128), np.full(channels, 127)


def of_taps(graph: Graph, op: Op, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(lowest, highest) input of each weight, int64 of `shape` [output channels, taps]; outside the
    image lies the zero point."""
    source = graph.inputs_of(op)[0]
    low, high = of_tensor(graph, op.inputs[0])
    if op.kind in _AXES and any(axis.pad or axis.pad_after for axis in _AXES[op.kind](graph, op)):
        low, high = np.minimum(low, source.zero_point), np.maximum(high, source.zero_point)
    if op.kind == "DEPTHWISE_CONV_2D":
        each = np.repeat(np.arange(low.size), shape[0] // low.size)[:, np.newaxis]
        return tuple(np.broadcast_to(end[each], shape) for end in (low, high))
    if shape[1] % low.size:  # a FULLY_CONNECTED that cuts channels
        return np.full(shape, -128), np.full(shape, 127)
    return tuple(np.broadcast_to(np.tile(end, shape[1] // low.size), shape) for end in (low, high))


def live_macs(graph: Graph, op: Op, macs: int) -> int:
    """Of an operator's MACs those of outputs that some input of the model can change."""
    if op.kind not in _AXES:
        return macs
    low, high = of_tensor(graph, op.outputs[0])
    return macs * int(np.count_nonzero(low != high)) // low.size


def matrix(graph: Graph, op: Op) -> np.ndarray:
    """The weights of a CONV_2D or DEPTHWISE_CONV_2D as int8 [output channels, taps]."""
    weights = graph.inputs_of(op)[1].array
    if op.kind == "DEPTHWISE_CONV_2D":
        return weights.reshape(-1, weights.shape[3]).T
    return weights.reshape(weights.shape[0], -1)


@lru_cache(maxsize=512)
def _of_output(graph: Graph, op: Op) -> tuple[np.ndarray, np.ndarray]:
    wide = matrix(graph, op).astype(np.int64)
    low, high = of_taps(graph, op, wide.shape)
    zero_point = graph.inputs_of(op)[0].zero_point
    bias = weighted.bias_of(graph, op, len(wide)) - zero_point * wide.sum(axis=1)
    least = bias + np.minimum(wide * low, wide * high).sum(axis=1)
    most = bias + np.maximum(wide * low, wide * high).sum(axis=1)
    if least.min() < INT32_MIN or most.max() > INT32_MAX:  # a sum may wrap
        return np.full(len(wide), -128), np.full(len(wide), 127)
    return tuple(weighted.requantize(graph, op, end[np.newaxis], op.options.activation)[0].astype(
        np.int64) for end in (least, most))
