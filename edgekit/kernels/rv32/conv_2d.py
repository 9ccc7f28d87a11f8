"""CONV_2D by tiles of 4 channels x 4 pixels, two pixels in each word of the expanded patches."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels import patches, pixel_pairs
from edgekit.kernels.channels import Channels
from edgekit.kernels.patches import BLOCK
from edgekit.kernels.requantization import Requantization
from edgekit.ops.base import Call

CHANNELS = 4  # of a tile
# Sums are shifted as far as they have room, so that the high word of a product is enough.
_WAYS = tuple((32 - left, 31 - left) for left in range(9, 1, -1))


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    return pixel_pairs.lower(graph, op, "conv_2d_s8_rv32", CHANNELS, _WAYS, packed)


def packed(channels: Channels, found: Requantization, rows: int, run: int) -> np.ndarray:
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
