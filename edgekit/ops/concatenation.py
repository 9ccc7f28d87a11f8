"""CONCATENATION: the inputs one after another along an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops.base import Call, all_int8, no_macs, one_quantization, slot

CODE, OPTIONS_TYPE, VERSIONS = 2, 10, range(1, 5)
INPUTS = (1, 1000)


@dataclass(frozen=True, slots=True)
class Options:
    axis: int = slot(0, "i")
    activation: int = slot(1, "b")


def no_activation(graph: Graph, op: Op) -> bool | str:
    """there must be no fused activation"""
    return op.options.activation == 0 or f"it is number {op.options.activation}"


def shapes_match(graph: Graph, op: Op) -> bool | str:
    """the inputs' shapes must be equal but for the axis"""
    first, rank = graph.inputs_of(op)[0].shape, len(graph.inputs_of(op)[0].shape)
    if not -rank <= op.options.axis < rank:
        return f"axis {op.options.axis} of rank {rank}"
    axis = op.options.axis % rank
    for tensor in graph.inputs_of(op):
        other = tensor.shape
        if len(other) != rank or other[:axis] + other[axis + 1:] != first[:axis] + first[axis + 1:]:
            return f"{list(first)} and {list(other)} on axis {axis}"
    return True


CONSTRAINTS = (all_int8, no_activation, one_quantization, shapes_match)

macs = no_macs


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape = list(graph.inputs_of(op)[0].shape)
    shape[op.options.axis] = sum(t.shape[op.options.axis] for t in graph.inputs_of(op))
    return (tuple(shape),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Concatenation`."""
    return [np.concatenate(inputs, axis=op.options.axis)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    """One call per input: each copies its rows to their place in the output's rows."""
    target = graph.outputs_of(op)[0]
    axis = op.options.axis % len(target.shape)
    rows, output_row = math.prod(target.shape[:axis]), math.prod(target.shape[axis:])
    calls, offset = [], 0
    for index in op.inputs:
        row = math.prod(graph.tensors[index].shape[axis:])
        params = (("rows", rows), ("input_row", row), ("output_row", output_row),
                  ("output_offset", offset))
        calls.append(Call("concatenation", "concatenation_s8", params, (index,), op.outputs))
        offset += row
    return tuple(calls)
