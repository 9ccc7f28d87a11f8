"""DEPTHWISE_CONV_2D 3x3: rows packed in pairs, two outputs from the same loads."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels.dsp.channels import proven
from edgekit.ops import depthwise_conv_2d
from edgekit.ops.base import Call, Constant
from edgekit.ops.weighted import requantization_params

MAX_SCRATCH = 16_384  # bytes
CHANNELS = 4  # of a block
_TABLE, _WORD, _SLOTS = 40, 4, 2  # bytes of a channel's table, of a pair of rows; pairs at once


def lower(graph: Graph, op: Op) -> tuple[Call, ...] | None:
    source, weights = graph.inputs_of(op)[:2]
    target, depth = graph.outputs_of(op)[0], weights.shape[3]
    rows, columns = depthwise_conv_2d.axes(graph, op)
    if weights.shape[1:3] != (3, 3) or rows.stride != columns.stride or rows.stride > 2:
        return None
    if rows.dilation != 1 or columns.dilation != 1 or op.options.depth_multiplier != 1:
        return None
    width = (columns.output - 1) * columns.stride + columns.filter
    scratch = CHANNELS * (_TABLE + _SLOTS * width * _WORD)
    channels = proven(graph, op, weights.array.reshape(-1, depth).T, op.options.activation)
    if channels is None or depth < CHANNELS or columns.output < 2 or scratch > MAX_SCRATCH:
        return None
    clamp = dict(requantization_params(graph, op, depth, op.options.activation))
    params = (("batches", source.shape[0]), ("input_height", rows.size),
              ("input_width", columns.size), ("output_height", rows.output),
              ("output_width", columns.output), ("depth", depth), ("stride", rows.stride),
              ("pad_height", rows.pad), ("pad_width", columns.pad),
              ("input_zero_point", source.zero_point),
              ("weights", Constant.of(channels.weights.T)),
              ("bias", Constant.of(channels.bias)),
              ("multiplier", Constant.of(channels.multiplier)),
              ("right_shift", Constant.of(channels.right_shift.astype(np.int8))),
              ("output_zero_point", target.zero_point),
              ("activation_min", clamp["activation_min"]),
              ("activation_max", clamp["activation_max"]))
    return (Call("depthwise_conv_2d_3x3_dsp", "depthwise_conv_2d_3x3_s8_dsp", params,
                 op.inputs[:1], op.outputs, scratch),)
