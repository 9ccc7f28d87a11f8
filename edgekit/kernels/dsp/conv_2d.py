"""CONV_2D by tiles of 2 channels x 4 pixels, from patches that are expanded to int16 pairs."""

from __future__ import annotations

from functools import partial

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels import patches
from edgekit.kernels.channels import Channels, proven
from edgekit.kernels.dsp import winograd
from edgekit.kernels.patches import BLOCK
from edgekit.ops.base import Call

CHANNELS = 2  # of a tile


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    weights = graph.inputs_of(op)[1]
    channels = proven(graph, op, weights.array.reshape(weights.shape[0], -1),
                      op.options.activation)
    if channels is None or not patches.are_enough(graph, op):
        return None
    by_winograd = winograd.lower(graph, op, channels, optimize)
    return by_winograd or patches.lower(graph, op, channels, "conv_2d_s8_dsp", CHANNELS,
                                        partial(packed, channels))


def tap_order(rows: int, run: int) -> np.ndarray:
    """The order in which a patch of rows x run bytes is expanded, -1 where nothing is.

    First the whole words of each row, then what is left of each, packed.
    """
    whole = run // BLOCK * BLOCK
    taps = np.arange(rows * run).reshape(rows, run)
    order = np.concatenate([taps[:, :whole].reshape(-1), taps[:, whole:].reshape(-1)])
    return np.pad(order, (0, -order.size % BLOCK), constant_values=-1)


def packed(channels: Channels, rows: int, run: int) -> np.ndarray:
    """The kernel's stream of int32 words, for each pair of channels a and b that are no constants:

    both biases; a word [a0, b0, a2, b2] and a word [a1, b1, a3, b3] for each block of four taps;
    a's multiplier, both right shifts less one (a's in the low half), b's multiplier, both
    channels' numbers (a's in the low half). An odd one is its own partner.
    """
    order, pair = tap_order(rows, run), patches.tiles_of(channels, CHANNELS)
    padded = np.pad(channels.weights, ((0, 0), (0, 1)))[:, order]  # tap -1 is the zero
    # [pair, channel, block, half, parity] -> [pair, block, parity, half, channel] bytes
    taps = padded[pair].reshape(len(pair), CHANNELS, -1, 2, 2).transpose(0, 2, 4, 3, 1)
    words = np.ascontiguousarray(taps).reshape(len(pair), -1).view("<i4")

    def halves(table: np.ndarray) -> np.ndarray:
        return table[:, :1] | table[:, 1:] << 16

    return np.concatenate(
        [channels.bias[pair], words, channels.multiplier[pair[:, :1]],
         halves(channels.right_shift[pair] - 1), channels.multiplier[pair[:, 1:]],
         halves(pair)], axis=1).astype(np.int32).reshape(-1)
