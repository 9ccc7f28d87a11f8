"""CONV_2D from patches whose words hold two pixels each: what its kernels ask, and their call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.kernels import patches, requantization, swar
from edgekit.kernels.channels import Channels, proven
from edgekit.kernels.requantization import Requantization
from edgekit.ops.base import Call

Packed = Callable[[Channels, Requantization, int, int], np.ndarray]


def lower(graph: Graph, op: Op, kernel: str, tile: int, ways,
          packed: Packed) -> tuple[Call, ...] | None:
    """The call of `kernel`, which computes `tile` channels together and requantizes by one of
    `ways`; None where a condition does not hold.

    packed(channels, requantization, filter rows, bytes of a row of the filter) gives its words.
    """
    weights, zero_point = graph.inputs_of(op)[1], graph.outputs_of(op)[0].zero_point
    channels = proven(graph, op, weights.array.reshape(weights.shape[0], -1),
                      op.options.activation)
    if channels is None or not patches.are_enough(graph, op) \
            or not swar.sums_fit(channels.weights, 2):
        return None
    found = requantization.proven(channels, zero_point, ways)
    return found and patches.lower(graph, op, channels, kernel, tile,
                                   lambda rows, run: packed(channels, found, rows, run))
