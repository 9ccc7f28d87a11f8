"""FULLY_CONNECTED: four outputs share each load of the input; nothing is expanded in RAM."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels.channels import Channels, proven
from edgekit.ops.base import Call, Constant
from edgekit.ops.weighted import requantization_params

OUTPUTS, BLOCK = 4, 4  # at once; inputs of a word


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    source, weights = graph.inputs_of(op)[:2]
    outputs, depth = weights.shape
    channels = proven(graph, op, weights.array, op.options.activation)
    if channels is None:
        return None
    clamp = dict(requantization_params(graph, op, outputs, op.options.activation))
    params = (("rows", source.size // depth), ("input_depth", depth), ("output_depth", outputs),
              ("weights", Constant.of(packed(channels))),
              ("bias_multiplier_shift", Constant.of(requantization(channels))),
              ("output_zero_point", clamp["output_zero_point"]),
              ("activation_min", clamp["activation_min"]),
              ("activation_max", clamp["activation_max"]))
    return (Call("fully_connected_dsp", "fully_connected_s8_dsp", params, op.inputs[:1],
                 op.outputs),)


def packed(channels: Channels) -> np.ndarray:
    """The kernel's int32 words of four weights: [outputs / 4][depth / 4][4 outputs], then
    [depth / 4] for each output that is left. Depths are filled up with zeros."""
    outputs, depth = channels.weights.shape
    words = np.ascontiguousarray(np.pad(channels.weights, ((0, 0), (0, -depth % BLOCK))))
    words = words.view("<i4")
    whole = outputs // OUTPUTS * OUTPUTS
    groups = words[:whole].reshape(-1, OUTPUTS, words.shape[1]).transpose(0, 2, 1)
    return np.concatenate([groups.reshape(-1), words[whole:].reshape(-1)]).astype(np.int32)


def requantization(channels: Channels) -> np.ndarray:
    """int32 words for each four outputs: 4 biases, 4 multipliers, 4 right shifts less one as
    bytes; for each output that is left: one of each."""
    whole = len(channels.bias) // OUTPUTS * OUTPUTS
    shifts = channels.right_shift - 1
    bytes_of = np.ascontiguousarray(shifts[:whole].astype(np.int8)).view("<i4")
    groups = np.concatenate([channels.bias[:whole].reshape(-1, OUTPUTS),
                             channels.multiplier[:whole].reshape(-1, OUTPUTS),
                             bytes_of.reshape(-1, 1)], axis=1)
    rest = np.stack([table[whole:] for table in (channels.bias, channels.multiplier, shifts)],
                    axis=1)
    return np.concatenate([groups.reshape(-1), rest.reshape(-1)]).astype(np.int32)
