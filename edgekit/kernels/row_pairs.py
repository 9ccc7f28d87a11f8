"""DEPTHWISE_CONV_2D 3x3, a channel and two rows of outputs at a time, two rows in a word."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels import patches, requantization, swar
from edgekit.kernels.channels import Channels, proven
from edgekit.ops import depthwise_conv_2d, overlap, window
from edgekit.ops.base import Call, Constant, Over
from edgekit.ops.weighted import requantization_params

MAX_SCRATCH = 16_384  # bytes
_COLUMN = 12  # bytes of scratch: three words
_ROWS = 2  # of outputs together


def lower(graph: Graph, op: Op, kernel: str, way: tuple[int, int]) -> tuple[Call, ...] | None:
    """The call of `kernel`, which requantizes by this way of requantization.py; None for another
    filter or stride, or where a condition does not hold."""
    source, weights = graph.inputs_of(op)[:2]
    depth = weights.shape[3]
    rows, columns = taps = depthwise_conv_2d.axes(graph, op)
    width = (columns.output - 1) * columns.stride + columns.filter
    if weights.shape[1:3] != (3, 3) or op.options.depth_multiplier != 1 \
            or (rows.stride, columns.stride) not in ((1, 1), (2, 2)) \
            or (rows.dilation, columns.dilation) != (1, 1) or 2 * width * _COLUMN > MAX_SCRATCH:
        return None
    channels = proven(graph, op, weights.array.reshape(9, depth).T, op.options.activation)
    if channels is None:
        return None
    by_column = channels.weights.reshape(depth, 3, 3).transpose(0, 2, 1)
    if channels.weights.min() == -128:  # any two taps may be added
        return None
    zero_point = graph.outputs_of(op)[0].zero_point
    found, exact = requantization.by_way(channels, zero_point, way)
    is_wide = swar.sums_fit_each(by_column.reshape(depth, 9), 3)
    live = patches.live(channels)
    groups = [live[mask[live]] for mask in (exact & is_wide, exact & ~is_wide, ~exact)]
    still = np.setdiff1d(np.arange(depth), live)
    constants = patches.constants(channels, zero_point)
    values = np.array(constants.values if constants else [], np.int64)
    clamp = dict(requantization_params(graph, op, depth, op.options.activation))
    last = np.where(exact, found.rounding, swar.rounding(channels, zero_point)), \
        np.where(exact, found.shift, channels.right_shift)
    words = packed(channels, by_column, np.concatenate(groups), *last)
    params = (("batches", source.shape[0]), ("input_height", rows.size),
              ("input_width", columns.size), ("output_height", rows.output),
              ("output_width", columns.output), ("depth", depth), ("stride", rows.stride),
              ("pad_height", rows.pad), ("pad_width", columns.pad),
              ("input_zero_point", source.zero_point), ("constant_channels", still.size),
              *((f"{name}_channels", group.size)
                for name, group in zip(("wide", "narrow", "slow"), groups)),
              ("constants", _words(still << 8 | (values[still] & 255)) if still.size else None),
              ("weights", _words(words) if live.size else None),
              ("activation_min", clamp["activation_min"]),
              ("activation_max", clamp["activation_max"]))
    return (Call("depthwise_conv_2d_3x3_pairs", kernel, params, op.inputs[:1], op.outputs,
                 2 * width * _COLUMN,
                 (over(op.inputs[0], source.shape, taps, _ROWS),)),)


def _words(values: np.ndarray) -> Constant:
    return Constant.of(values.astype(np.int32))


def packed(channels: Channels, by_column: np.ndarray, order: np.ndarray, rounding: np.ndarray,
           shift: np.ndarray) -> np.ndarray:
    """The kernel's words for each channel of `order`: three columns of weights, bias, multiplier,
    rounding, number << 8 | shift. `by_column` is [channels, column, row]."""
    taps = by_column[order].astype(np.int64)
    columns = taps[:, :, 0] & 255 | (taps[:, :, 1] & 255) << 8 | taps[:, :, 2] << 16
    return np.column_stack([columns, channels.bias[order], channels.multiplier[order],
                            rounding[order], order << 8 | shift[order]]).reshape(-1)


def over(tensor: int, shape: tuple[int, ...], taps: tuple[window.Axis, window.Axis],
         together: int) -> Over:
    """Where the output may lie on the input, of a kernel that takes channels through the image
    alone, `together` rows of outputs at a time: on the same channels only, a whole number of
    pixels before them. It has read all of the next rows of outputs before it writes some."""
    rows, columns = taps
    batch, first = (index.reshape(-1) for index in np.meshgrid(
        np.arange(shape[0]), np.arange(0, rows.output, together), indexing="ij"))
    last = np.minimum(first + together, rows.output)
    top = np.maximum(np.where(first > 0, (first + together) * rows.stride - rows.pad, 0), 0)
    written = (batch * rows.output + last) * columns.output
    needed = (batch * rows.size + np.minimum(top, rows.size)) * columns.size
    return Over(tensor, shape[3] * overlap.lead(written, needed, reads_first=True), exact=True)
