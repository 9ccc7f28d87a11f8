"""PAD: the input with borders of its zero point."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies, padding
from edgekit.ops.base import Call, NoOptions, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 34, 22, range(1, 5)
INPUTS = (2, 2)
macs = no_macs
Options = NoOptions

CONSTRAINTS = (copies.moves_int8(0), padding.constant_paddings)

shapes = padding.shapes


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Pad`; the border is the output's zero point."""
    return [np.pad(inputs[0], inputs[1].tolist(),
                   constant_values=graph.outputs_of(op)[0].zero_point)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return padding.lower(graph, op, graph.outputs_of(op)[0].zero_point)
