"""PADV2: the input with borders of a value that is given."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies, padding
from edgekit.ops.base import Call, NoOptions, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 60, 43, range(1, 5)
INPUTS = (3, 3)
macs = no_macs
Options = NoOptions


def constant_value(graph: Graph, op: Op) -> bool | str:
    """the value must be one constant"""
    value = graph.inputs_of(op)[2]
    return value.is_constant and value.size == 1 or f"'{value.name}' is not"


CONSTRAINTS = (copies.moves_int8(0, 2), padding.constant_paddings, constant_value)

shapes = padding.shapes


def _value(graph: Graph, op: Op) -> int:
    return int(graph.inputs_of(op)[2].array.ravel()[0])


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Pad`."""
    return [np.pad(inputs[0], inputs[1].tolist(), constant_values=_value(graph, op))]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return padding.lower(graph, op, _value(graph, op))
