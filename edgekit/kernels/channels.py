"""What the DSP kernels ask of every output channel, proven here before they are chosen.

They requantize in five instructions: with r = -shift, C = (2 * zero_point + 1) << (r - 1),

    ((accumulator * multiplier + 2^30) >> 31) + C - (accumulator < 0)) >> r, saturated to int8

This is `fixed_point.multiply_by_quantized_multiplier` and the zero point exactly, as long as
r >= 1, 2 * accumulator fits int32, and so does the sum before the shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit import ranges
from edgekit.fixed_point import INT32_MAX, INT32_MIN
from edgekit.graph import Graph, Op
from edgekit.ops import weighted

_HALF, _ONE = 1 << 30, -1  # a multiplier and a shift of 1/4, for constants


@dataclass(frozen=True)
class Channels:
    """Per output channel: weights [channels, taps] int8; bias with the input's zero point folded
    in, multiplier and r (see above) int32 [channels]; the most that a sum of the bias and products
    in any order can be, int64."""

    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    right_shift: np.ndarray
    reach: np.ndarray


def proven(graph: Graph, op: Op, weights: np.ndarray, activation: int) -> Channels | None:
    """The channels with what no input can change folded, None where one breaks a condition.

    `weights` is [channels, taps]; every tap sees what `ranges` says, the zero point where it is in
    the padding.
    """
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    lowest, highest = ranges.of_taps(graph, op, weights.shape)
    wide = weights.astype(np.int64)
    bias = weighted.bias_of(graph, op, len(wide)) - source.zero_point * wide.sum(axis=1)
    known = lowest == highest  # their products go into the bias
    bias = bias + np.where(known, wide * lowest, 0).sum(axis=1)
    wide = np.where(known, 0, wide)
    low = bias + np.minimum(wide * lowest, wide * highest).sum(axis=1)
    high = bias + np.maximum(wide * lowest, wide * highest).sum(axis=1)
    multiplier, shift = (np.array(np.broadcast_to(table, len(wide)), np.int64)
                         for table in weighted.multipliers(graph, op))
    if low.min() < INT32_MIN or high.max() > INT32_MAX:
        return None
    # Requantization never falls as the accumulator rises: equal at both ends is equal throughout.
    ends = [weighted.requantize(graph, op, end[np.newaxis], activation)[0] for end in (low, high)]
    constant = ends[0] == ends[1]
    steps = ends[0].astype(np.int64) - target.zero_point
    bias, low, high = (np.where(constant, 4 * steps, a) for a in (bias, low, high))
    multiplier, shift = np.where(constant, _HALF, multiplier), np.where(constant, _ONE, shift)
    # Partial sums lie between zero, the bias and the ends in any order of the taps.
    reach = np.abs(bias) + np.where(constant, 0, 128 * np.abs(wide).sum(axis=1))
    if shift.max() > -1 or reach.max() >= 1 << 30:
        return None
    rounding = np.abs((2 * target.zero_point + 1) * (1 << (-shift - 1)))
    if (reach + rounding).max() >= INT32_MAX:
        return None
    return Channels(np.where(constant[:, np.newaxis], 0, wide).astype(np.int8),
                    *(a.astype(np.int32) for a in (bias, multiplier, -shift)), reach)
