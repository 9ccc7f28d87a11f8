"""MEAN: the mean over any axes."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import elementwise, reduction
from edgekit.ops.base import Call, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 40, 27, range(1, 4)
INPUTS = (2, 2)
Options, shapes, macs = reduction.Options, reduction.shapes, no_macs


def shift_in_range(graph: Graph, op: Op) -> bool | str:
    """input scale / output scale must be below 2^30"""
    return bool(_multiplier(graph, op)[1] <= 30)


CONSTRAINTS = (int8_activations, reduction.constant_axes, reduction.at_most_two_groups,
               reduction.sum_fits, shift_in_range)


def _multiplier(graph: Graph, op: Op) -> tuple[int, int]:
    """(multiplier, shift) with the division by the count in it.

    Source: TFLite `reference_ops::QuantizedMeanOrSum`.
    """
    count = reduction.count(graph, op)
    multiplier, shift = elementwise.ratio(graph, op)
    down = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << down) // count, shift - down


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    return reduction.sums(_multiplier(graph, op), graph, op, inputs)


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return reduction.lower_sums(_multiplier(graph, op), graph, op)
