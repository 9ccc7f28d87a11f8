"""CONV_2D by tiles of a channel x 4 pixels, two pixels in each word of the expanded patches."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels import patches, pixel_pairs, requantization, swar
from edgekit.kernels.channels import Channels
from edgekit.kernels.patches import BLOCK
from edgekit.kernels.requantization import Requantization
from edgekit.ops.base import Call


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    return pixel_pairs.lower(graph, op, "conv_2d_s8_armv6m", 1,
                             (requantization.BY_11, requantization.BY_8), packed)


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
