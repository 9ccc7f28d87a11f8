"""What RESHAPE, SQUEEZE and EXPAND_DIMS share: the output is the input's bytes in their place."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops.base import Call


def same_type(graph: Graph, op: Op) -> bool | str:
    """the input and the output must have the same type and quantization"""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if source.dtype is not target.dtype or source.quant != target.quant:
        return f"'{source.name}' and '{target.name}' differ"
    return True


def computed_input(graph: Graph, op: Op) -> bool | str:
    """the input must not be a constant"""
    # The output is a view of the input's place in the arena, and a constant has none.
    source = graph.inputs_of(op)[0]
    return not source.is_constant or f"'{source.name}' is"


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    return [inputs[0].reshape(graph.outputs_of(op)[0].shape)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    """Nothing to compute: the planner gives the output the input's place."""
    return ()
