"""CONV_2D from expanded patches: what its kernels share, the layer's shape and its constants.

The patches of four output pixels are expanded once, in the order in which a kernel wants their
taps, and serve all channels; tiles of channels are packed for the kernel on the host.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels.channels import Channels
from edgekit.ops import conv_2d, overlap, window
from edgekit.ops.base import Call, Constant, Over
from edgekit.ops.weighted import requantization_params

MAX_SCRATCH = 16_384  # bytes: beyond that a layer's patches are too dear in RAM
PIXELS, BLOCK = 4, 4  # at once; taps that are expanded together
_WORD = 4


def are_enough(graph: Graph, op: Op) -> bool:
    """Whether there are outputs enough for a patch to be worth its expansion, and for four pixels."""
    outputs = graph.inputs_of(op)[1].shape[0]
    return 2 <= outputs <= 1 << 16 and graph.outputs_of(op)[0].size >= PIXELS * outputs


def lower(graph: Graph, op: Op, channels: Channels, kernel: str, tile: int,
          packed: Callable[[int, int], np.ndarray]) -> tuple[Call, ...] | None:
    """The call of `kernel`, None where the patches cannot be expanded.

    `tile` is how many channels the kernel computes together; packed(filter rows, bytes of a row
    of the filter) gives its int32 words of weights.
    """
    source, weights = graph.inputs_of(op)[:2]
    outputs, *filter_shape = weights.shape
    rows, columns = conv_2d.axes(graph, op)
    if any(axis.dilation != 1 and axis.filter != 1 for axis in (rows, columns)):
        return None
    shape = source.shape
    if filter_shape[:2] == [1, 1] and rows.stride == columns.stride == 1:
        # Without a window the image is one row of pixels, batches included.
        shape = (1, 1, math.prod(shape[:3]), shape[3])
        rows, columns = window.axes(shape, op.options, (1, 1))
    run = math.prod(filter_shape[1:])
    blocks = -(-filter_shape[0] * run // BLOCK)
    padded = any((rows.pad, rows.pad_after, columns.pad, columns.pad_after))
    scratch = blocks * BLOCK * PIXELS * (2 + padded)  # two bytes a tap, and one of a copy
    if scratch > MAX_SCRATCH:
        return None
    clamp = dict(requantization_params(graph, op, outputs, op.options.activation))
    tiles = -(-live(channels).size // tile)
    params = (*window.image_params(shape, (rows, columns)), ("output_depth", outputs),
              ("run_words", run // BLOCK), ("run_rest", run % BLOCK), ("blocks", blocks),
              ("input_zero_point", source.zero_point), ("tiles", tiles),
              ("constants", constants(channels, clamp["output_zero_point"])),
              ("weights", Constant.of(packed(filter_shape[0], run)) if tiles else None),
              ("output_zero_point", clamp["output_zero_point"]),
              ("activation_min", clamp["activation_min"]),
              ("activation_max", clamp["activation_max"]))
    return (Call("conv_2d_patches", kernel, params, op.inputs[:1], op.outputs, scratch,
                 (Over(op.inputs[0], _lead(shape, (rows, columns), outputs)),)),)


def _lead(shape: tuple[int, ...], taps: tuple[window.Axis, window.Axis], outputs: int) -> int:
    """Four pixels are expanded before any of their outputs is written. Of a remainder the last
    four are computed again, of one pixel without a window that one alone."""
    needed = overlap.window_reads(shape, taps)
    pixels = len(needed)
    is_pointwise = all(axis.filter == axis.stride == 1 for axis in taps)
    first = np.arange(0, pixels, PIXELS)
    if not (is_pointwise and pixels % PIXELS == 1):
        first = np.minimum(first, pixels - PIXELS)
    group = np.minimum(first[:, np.newaxis] + np.arange(PIXELS), pixels - 1)
    return overlap.lead((group[:, -1] + 1) * outputs, needed[group].min(axis=1), reads_first=True)


def live(channels: Channels) -> np.ndarray:
    """The numbers of the channels that are no constants."""
    return np.flatnonzero(channels.weights.any(axis=1))


def tiles_of(channels: Channels, size: int) -> np.ndarray:
    """Those numbers in tiles [tiles, size]; the last one fills its tile up."""
    numbers = live(channels)
    return np.pad(numbers, (0, -numbers.size % size),
                  mode="edge" if numbers.size else "constant").reshape(-1, size)


def constants(channels: Channels, zero_point: int) -> Constant | None:
    """The value of every channel that is one, the zero point for the others; None without any."""
    is_constant = ~channels.weights.any(axis=1)
    if not is_constant.any():
        return None
    steps = np.where(is_constant, channels.bias // 4, 0)  # as channels.py folds them
    return Constant.of((steps + zero_point).astype(np.int8))
