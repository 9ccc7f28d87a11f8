"""What DEPTH_TO_SPACE and SPACE_TO_DEPTH share: channels and blocks of pixels change places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies
from edgekit.ops.base import Call, slot

# Of the input's axes, with blocks apart, in the output: the block's rows and columns change places.
ORDER = (0, 1, 3, 2, 4, 5)
Apart = Callable[[Graph, Op], tuple[int, ...]]  # those axes


@dataclass(frozen=True, slots=True)
class Options:
    block_size: int = slot(0, "i")


def reference(apart: Apart, graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::DepthToSpace` and `reference_ops::SpaceToDepth`."""
    blocks = inputs[0].reshape(apart(graph, op)).transpose(ORDER)
    return [blocks.reshape(graph.outputs_of(op)[0].shape)]


def lower(apart: Apart, graph: Graph, op: Op) -> tuple[Call, ...]:
    return copies.transposed(graph, op, apart(graph, op), ORDER)
