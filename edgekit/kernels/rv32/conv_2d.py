"""CONV_2D by tiles of 4 channels x 4 pixels, two pixels in each word of the expanded patches."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels import patches, requantization, swar
from edgekit.kernels.channels import Channels, proven
from edgekit.kernels.patches import BLOCK
from edgekit.kernels.requantization import Requantization
from edgekit.ops.base import Call

CHANNELS = 4  # of a tile
# Sums are shifted as far as they have room, so that the high word of a product is enough.
_WAYS = tuple((32 - left, 31 - left) for left in range(9, 1, -1))


def lower(graph: Graph, op: Op) -> tuple[Call, ...] | None:
    weights, zero_point = graph.inputs_of(op)[1], graph.outputs_of(op)[0].zero_point
    channels = proven(graph, op, weights.array.reshape(weights.shape[0], -1),
                      op.options.activation)
    if channels is None or not patches.are_enough(graph, op) \
            or not swar.sums_fit(channels.weights, 2):
        return None
    found = requantization.proven(channels, zero_point, _WAYS)
    return found and patches.lower(graph, op, channels, "conv_2d_s8_rv32", CHANNELS,
                                   lambda rows, run: packed(channels, found))


def packed(channels: Channels, found: Requantization) -> np.ndarray:
    """The kernel's stream of int32 words: bits of the multiplication that are dropped; then for
    each tile of channels that are no constants:

    4 biases; for each block of four taps a word of them for each channel; for each channel its
    multiplier, rounding and number << 5 | shift.
    """
    tile = patches.tiles_of(channels, CHANNELS)
    taps = np.pad(channels.weights, ((0, 0), (0, -channels.weights.shape[1] % BLOCK)))
    words = np.ascontiguousarray(taps).view("<i4")[tile]  # [tile, channel, block]
    last = np.stack([channels.multiplier[tile], found.rounding[tile],
                     tile << 5 | found.shift[tile]], axis=2)
    body = np.concatenate([channels.bias[tile], words.transpose(0, 2, 1).reshape(len(tile), -1),
                           last.reshape(len(tile), -1)], axis=1).reshape(-1)
    return np.concatenate([[found.dropped], body]).astype(np.int32)
