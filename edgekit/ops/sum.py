"""SUM: the sum over any axes."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import elementwise, reduction
from edgekit.ops.base import Call, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 74, 27, range(1, 3)
INPUTS = (2, 2)
Options, shapes, macs = reduction.Options, reduction.shapes, no_macs


def rescaled_sum_fits(graph: Graph, op: Op) -> bool | str:
    """input scale / output scale times the elements summed must be below 2^23"""
    # 255 * 2^23 is the last that TFLM's int32 holds.
    shift = elementwise.ratio(graph, op)[1]
    largest = reduction.count(graph, op) << max(shift, 0)
    return largest <= 1 << 23 or f"it is {largest:,}"


CONSTRAINTS = (int8_activations, reduction.constant_axes, reduction.at_most_two_groups,
               reduction.sum_fits, rescaled_sum_fits)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    return reduction.sums(elementwise.ratio(graph, op), graph, op, inputs)


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return reduction.lower_sums(elementwise.ratio(graph, op), graph, op)
