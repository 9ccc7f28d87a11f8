"""CONV_2D by tiles of 2 channels x 4 pixels, from patches that are expanded to int16 pairs."""

from __future__ import annotations

import math

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels.dsp import winograd
from edgekit.kernels.dsp.channels import Channels, proven
from edgekit.ops import conv_2d, window
from edgekit.ops.base import Call, Constant
from edgekit.ops.weighted import requantization_params

MAX_SCRATCH = 16_384  # bytes: beyond that a layer's patches are too dear in RAM
PIXELS, CHANNELS, BLOCK = 4, 2, 4  # of a tile; taps that are expanded together
_WORD = 4


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    weights = graph.inputs_of(op)[1]
    outputs = weights.shape[0]
    channels = proven(graph, op, weights.array.reshape(outputs, -1), op.options.activation)
    if channels is None or not 2 <= outputs <= 1 << 16 or graph.outputs_of(op)[0].size < PIXELS * outputs:
        return None
    by_winograd = winograd.lower(graph, op, channels, optimize)
    return by_winograd or _lower_direct(graph, op, channels)


def _lower_direct(graph: Graph, op: Op, channels: Channels) -> tuple[Call, ...] | None:
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
    order = tap_order(filter_shape[0], math.prod(filter_shape[1:]))
    patch = order.size * PIXELS * 2
    padded = any((rows.pad, rows.pad_after, columns.pad, columns.pad_after))
    edge = PIXELS * order.size if padded else 0
    if patch + edge > MAX_SCRATCH:
        return None
    clamp = dict(requantization_params(graph, op, outputs, op.options.activation))
    run = math.prod(filter_shape[1:])
    pairs = -(-np.count_nonzero(channels.weights.any(axis=1)) // CHANNELS)
    params = (*window.image_params(shape, (rows, columns)), ("output_depth", outputs),
              ("run_words", run // BLOCK), ("run_rest", run % BLOCK),
              ("blocks", order.size // BLOCK), ("input_zero_point", source.zero_point),
              ("pairs", pairs),
              ("constants", constants(channels, clamp["output_zero_point"])),
              ("weights", Constant.of(packed(channels, order)) if pairs else None),
              ("output_zero_point", clamp["output_zero_point"]),
              ("activation_min", clamp["activation_min"]),
              ("activation_max", clamp["activation_max"]))
    return (Call("conv_2d_dsp", "conv_2d_s8_dsp", params, op.inputs[:1], op.outputs,
                 patch + edge),)


def tap_order(rows: int, run: int) -> np.ndarray:
    """The order in which a patch of rows x run bytes is expanded, -1 where nothing is.

    First the whole words of each row, then what is left of each, packed.
    """
    whole = run // BLOCK * BLOCK
    taps = np.arange(rows * run).reshape(rows, run)
    order = np.concatenate([taps[:, :whole].reshape(-1), taps[:, whole:].reshape(-1)])
    return np.pad(order, (0, -order.size % BLOCK), constant_values=-1)


def packed(channels: Channels, order: np.ndarray) -> np.ndarray:
    """The kernel's stream of int32 words, for each pair of channels a and b that are no constants:

    both biases; a word [a0, b0, a2, b2] and a word [a1, b1, a3, b3] for each block of four taps;
    a's multiplier, both right shifts less one (a's in the low half), b's multiplier, both
    channels' numbers (a's in the low half). An odd one is its own partner.
    """
    live = np.flatnonzero(channels.weights.any(axis=1))
    pair = np.pad(live, (0, live.size % CHANNELS), mode="edge" if live.size else "constant")
    pair = pair.reshape(-1, CHANNELS)
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


def constants(channels: Channels, zero_point: int) -> Constant | None:
    """The value of every channel that is one, the zero point for the others; None without any."""
    is_constant = ~channels.weights.any(axis=1)
    if not is_constant.any():
        return None
    steps = np.where(is_constant, channels.bias // 4, 0)  # as channels.py folds them
    return Constant.of((steps + zero_point).astype(np.int8))
