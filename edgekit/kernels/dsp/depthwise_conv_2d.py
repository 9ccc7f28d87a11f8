"""DEPTHWISE_CONV_2D: 3x3 by rows packed in pairs, other filters tap by tap, four channels at once."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import wrapped
from edgekit.graph import Graph, Op
from edgekit.kernels.channels import Channels, proven
from edgekit.kernels.row_pairs import over
from edgekit.kernels.tables import with_tables
from edgekit.ops import depthwise_conv_2d, window
from edgekit.ops.base import Call, Constant, Over
from edgekit.ops.weighted import requantization_params

MAX_SCRATCH = 16_384  # bytes
CHANNELS = 4  # of a block
_TABLE, _WORD, _SLOTS = 40, 4, 2  # bytes of a channel's table, of a pair of rows; pairs at once


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    weights = graph.inputs_of(op)[1]
    depth = weights.shape[3]
    if op.options.depth_multiplier != 1 or depth < CHANNELS:
        return None
    channels = proven(graph, op, weights.array.reshape(-1, depth).T, op.options.activation)
    if channels is None:
        return None
    return _lower_3x3(graph, op, channels) or _lower_general(graph, op, channels)


def _lower_3x3(graph: Graph, op: Op, channels: Channels) -> tuple[Call, ...] | None:
    source, weights = graph.inputs_of(op)[:2]
    rows, columns = depthwise_conv_2d.axes(graph, op)
    width = (columns.output - 1) * columns.stride + columns.filter
    scratch = CHANNELS * (_TABLE + _SLOTS * width * _WORD)
    if weights.shape[1:3] != (3, 3) or columns.output < 2 or scratch > MAX_SCRATCH \
            or (rows.stride, columns.stride) not in ((1, 1), (2, 2)) \
            or (rows.dilation, columns.dilation) != (1, 1):
        return None
    clamp = dict(requantization_params(graph, op, weights.shape[3], op.options.activation))
    params = (("batches", source.shape[0]), ("input_height", rows.size),
              ("input_width", columns.size), ("output_height", rows.output),
              ("output_width", columns.output), ("depth", weights.shape[3]),
              ("stride", rows.stride), ("pad_height", rows.pad), ("pad_width", columns.pad),
              ("input_zero_point", source.zero_point),
              ("weights", Constant.of(channels.weights.T)),
              ("bias", Constant.of(channels.bias)),
              ("multiplier", Constant.of(channels.multiplier)),
              ("right_shift", Constant.of(channels.right_shift.astype(np.int8))),
              ("output_zero_point", clamp["output_zero_point"]),
              ("activation_min", clamp["activation_min"]),
              ("activation_max", clamp["activation_max"]))
    return (Call("depthwise_conv_2d_3x3_dsp", "depthwise_conv_2d_3x3_s8_dsp", params,
                 op.inputs[:1], op.outputs, scratch,
                 _over(op.inputs[0], source.shape, (rows, columns))),)


def _over(tensor: int, shape: tuple[int, ...],
          taps: tuple[window.Axis, window.Axis]) -> tuple[Over, ...]:
    """No channel may be left over: the last four would be computed again."""
    together = 2 if taps[0].stride == 1 else 1  # rows of outputs
    return () if shape[3] % CHANNELS else (over(tensor, shape, taps, together),)


def _lower_general(graph: Graph, op: Op, channels: Channels) -> tuple[Call, ...]:
    (portable,) = depthwise_conv_2d.lower(graph, op)
    # This kernel skips the padding's taps, as the portable one does: it adds the zero point.
    sums = channels.weights.astype(np.int64).sum(axis=1)
    bias = channels.bias + graph.inputs_of(op)[0].zero_point * sums
    return (with_tables(portable, "depthwise_conv_2d_s8_dsp", channels, channels.weights.T,
                        wrapped(bias)),)
