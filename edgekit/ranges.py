"""What values each channel can take: exact intervals through requantization and clamp.

A channel is an index of the last axis. An interval is per tensor two int64 arrays [channels],
the lowest and the highest value that any input of the model can give. A channel whose interval is
one value is a constant: networks that were trained with a rectifier have many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edgekit import ops
from edgekit.fixed_point import INT32_MAX, INT32_MIN
from edgekit.graph import DType, Graph, Op
from edgekit.ops import conv_2d, depthwise_conv_2d, pooling, weighted

REACH = 1 << 30  # sums beyond it may wrap somewhere: nothing is claimed of them
Interval = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Sums:
    """Of a weighted operator, per output channel: `low` and `high` of the sum with its bias,
    whether it `fits` int32, and whether it is `trusted` to do so in any order of its terms."""

    low: np.ndarray
    high: np.ndarray
    fits: np.ndarray
    trusted: np.ndarray


@lru_cache(maxsize=8)
def intervals(graph: Graph) -> dict[int, Interval]:
    """The interval of every int8 activation."""
    found: dict[int, Interval] = {}
    for i in graph.inputs:
        found[i] = _any_value(graph, i)
    for op in graph.ops:
        rule = _RULES.get(op.kind)
        known = rule is not None and op.inputs[0] in found and is_int8(graph, op)
        for i in op.outputs:
            found[i] = rule(graph, op, found[op.inputs[0]]) if known else _any_value(graph, i)
    return found


def of_tensor(graph: Graph, tensor: int) -> Interval:
    """The interval of an int8 tensor, constants among them."""
    return intervals(graph).get(tensor) or _any_value(graph, tensor)


def of_taps(graph: Graph, op: Op, shape: tuple[int, int]) -> Interval:
    """(lowest, highest) input of each weight, int64 of `shape` [output channels, taps]; outside the
    image lies the zero point."""
    source = graph.inputs_of(op)[0]
    low, high = of_tensor(graph, op.inputs[0])
    if is_padded(graph, op):
        low, high = np.minimum(low, source.zero_point), np.maximum(high, source.zero_point)
    if op.kind == "DEPTHWISE_CONV_2D":
        each = np.repeat(np.arange(low.size), shape[0] // low.size)[:, np.newaxis]
        return tuple(np.broadcast_to(end[each], shape) for end in (low, high))
    if shape[1] % low.size:  # a FULLY_CONNECTED that cuts channels
        return np.full(shape, -128), np.full(shape, 127)
    return tuple(np.broadcast_to(np.tile(end, shape[1] // low.size), shape) for end in (low, high))


def live_macs(graph: Graph, op: Op, macs: int) -> int:
    """Of a convolution's MACs those of outputs that some input of the model can change; of other
    operators all."""
    if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return macs
    low, high = of_tensor(graph, op.outputs[0])
    return macs * int(np.count_nonzero(low != high)) // low.size


def is_int8(graph: Graph, op: Op) -> bool:
    """Whether the operator computes on int8 activations."""
    ends = (graph.tensors[op.inputs[0]], *graph.outputs_of(op))
    return all(tensor.dtype is DType.INT8 for tensor in ends)


def _any_value(graph: Graph, tensor: int) -> Interval:
    channels = (graph.tensors[tensor].shape or (1,))[-1]
    return np.full(channels, -128, np.int64), np.full(channels, 127, np.int64)


def is_padded(graph: Graph, op: Op) -> bool:
    """Whether a window of the operator reaches out of the image: its taps there add nothing."""
    if op.kind == "FULLY_CONNECTED":
        return False
    axes = (depthwise_conv_2d if op.kind == "DEPTHWISE_CONV_2D" else conv_2d).axes(graph, op)
    return any(axis.pad or axis.pad_after for axis in axes)


def weights_by_channel(graph: Graph, op: Op) -> np.ndarray:
    """Weights as int64 [outputs, taps, inputs]; of a depthwise operator [outputs, taps, 1]."""
    weights = graph.inputs_of(op)[1].array.astype(np.int64)
    if op.kind == "DEPTHWISE_CONV_2D":
        return weights.reshape(-1, weights.shape[3]).T[:, :, np.newaxis]
    return weights.reshape(weights.shape[0], -1, weights.shape[-1])


def sums(graph: Graph, op: Op, source: Interval) -> Sums:
    """The interval of each output channel's sum, padding included."""
    weights = weights_by_channel(graph, op)
    low, high = (side - graph.inputs_of(op)[0].zero_point for side in _per_input(op, weights, source))
    ends = np.stack([weights * low, weights * high])
    smallest, largest = ends.min(axis=0), ends.max(axis=0)
    if is_padded(graph, op):
        smallest, largest = np.minimum(smallest, 0), np.maximum(largest, 0)
    bias = weighted.bias_of(graph, op, len(weights)).astype(np.int64)
    reach = np.abs(bias) + 255 * np.abs(weights).sum(axis=(1, 2))
    least, most = bias + smallest.sum(axis=(1, 2)), bias + largest.sum(axis=(1, 2))
    # A shift to the left may wrap: only to the right does requantization never fall.
    rises = np.broadcast_to(weighted.multipliers(graph, op)[1] <= 0, reach.shape)
    return Sums(least, most, rises & (least >= INT32_MIN) & (most <= INT32_MAX),
                rises & (reach < REACH))


def _per_input(op: Op, weights: np.ndarray, source: Interval) -> Interval:
    """The source's interval in the shape of the weights' inputs."""
    if op.kind == "DEPTHWISE_CONV_2D":
        times = len(weights) // len(source[0])
        return tuple(np.repeat(side, times)[:, np.newaxis, np.newaxis] for side in source)
    if len(source[0]) != weights.shape[2]:  # a dense layer over several axes
        return (np.full(weights.shape[2], source[0].min()),
                np.full(weights.shape[2], source[1].max()))
    return source


def _weighted(graph: Graph, op: Op, source: Interval) -> Interval:
    found = sums(graph, op, source)
    # Requantization never falls as the sum rises, so its ends are those of the sums.
    ends = [weighted.requantize(graph, op, np.where(found.fits, end, 0)[np.newaxis],
                                op.options.activation)[0].astype(np.int64)
            for end in (found.low, found.high)]
    return (np.where(found.fits, ends[0], -128), np.where(found.fits, ends[1], 127))


def _rising(graph: Graph, op: Op, source: Interval) -> Interval:
    """Functions of one element that never fall."""
    low, high = ops.get(op.kind).reference(graph, op, [np.stack(source).astype(np.int8)])[0]
    return low.astype(np.int64), high.astype(np.int64)


def _pooled(graph: Graph, op: Op, source: Interval) -> Interval:
    low, high = pooling.clamp_range(graph, op)
    return np.clip(source[0], low, high), np.clip(source[1], low, high)


def _reshaped(graph: Graph, op: Op, source: Interval) -> Interval:
    if keeps_channels(graph, op):
        return source
    low, high = _any_value(graph, op.outputs[0])
    return np.full_like(low, source[0].min()), np.full_like(high, source[1].max())


def keeps_channels(graph: Graph, op: Op) -> bool:
    """Whether channel c of the output is a function of channel c of the input, all else equal."""
    if op.kind == "DEPTHWISE_CONV_2D":
        return op.options.depth_multiplier == 1
    if op.kind == "RESHAPE":
        source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
        return bool(source.shape and target.shape) and source.shape[-1] == target.shape[-1]
    return op.kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "RELU", "RELU6", "QUANTIZE")


_RULES: dict[str, Callable[[Graph, Op, Interval], Interval]] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), _weighted),
    **dict.fromkeys(("RELU", "RELU6", "QUANTIZE"), _rising),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), _pooled),
    "RESHAPE": _reshaped,
}
