"""CONV_2D by tiles of a channel x 4 pixels, two pixels in each word of the expanded patches."""

from __future__ import annotations

from functools import partial

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels import patches, swar
from edgekit.kernels import requantization
from edgekit.kernels.requantization import Requantization
from edgekit.kernels.channels import Channels, proven
from edgekit.kernels.patches import BLOCK
from edgekit.ops.base import Call


def lower(graph: Graph, op: Op) -> tuple[Call, ...] | None:
    weights, zero_point = graph.inputs_of(op)[1], graph.outputs_of(op)[0].zero_point
    channels = proven(graph, op, weights.array.reshape(weights.shape[0], -1),
                      op.options.activation)
    if channels is None or not patches.are_enough(graph, op) \
            or not swar.sums_fit(channels.weights, 2):
        return None
    found = requantization.proven(channels, zero_point)
    return found and patches.lower(graph, op, channels, "conv_2d_s8_armv6m", 1,
                                   partial(packed, channels, found))


def packed(channels: Channels, found: Requantization, rows: int, run: int) -> np.ndarray:
    """The kernel's stream of int32 words: how many channels can add four taps before they are
    taken apart, bits of the multiplier that are dropped; then each channel, those first:

    bias, a word for each block of four taps, multiplier, rounding, number << 8 | shift.
    """
    live = patches.live(channels)
    wide = swar.sums_fit_each(channels.weights[live], BLOCK)
    order = np.concatenate([live[wide], live[~wide]])
    taps = np.pad(channels.weights, ((0, 0), (0, -rows * run % BLOCK)))
    words = np.ascontiguousarray(taps).view("<i4")[order]
    last = (channels.multiplier[order], found.rounding[order])
    body = np.column_stack([channels.bias[order], words, *last,
                            order << 8 | found.shift[order]])
    return np.concatenate([[wide.sum(), found.dropped], body.reshape(-1)]).astype(np.int32)
