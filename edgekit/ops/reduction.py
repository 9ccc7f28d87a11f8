"""What operators share that reduce axes: which they are, the shapes, the loops of the kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier, wrapped
from edgekit.graph import Graph, Op
from edgekit.ops import copies, elementwise
from edgekit.ops.base import Call, constant_int32, slot


@dataclass(frozen=True, slots=True)
class Options:
    keep_dims: bool = slot(0, "?", False)


def constant_axes(graph: Graph, op: Op) -> bool | str:
    """the axes must be constant int32, and axes of the input"""
    source, listed = graph.inputs_of(op)[:2]
    answer = constant_int32(listed, "the tensor")
    if answer is not True:
        return answer
    rank = len(source.shape)
    return all(-rank <= axis < rank for axis in listed.array.ravel().tolist())


def at_most_two_groups(graph: Graph, op: Op) -> bool | str:
    """kept and reduced axes may alternate at most four times"""
    groups = _groups(graph, op)
    return True if len(groups) <= 4 else f"{len(groups)} times"


def sum_fits(graph: Graph, op: Op) -> bool | str:
    """at most 2^23 elements may go into one sum"""
    found = count(graph, op)
    return found <= 1 << 23 or f"it is {found:,}"


# Of REDUCE_MAX and REDUCE_MIN.
EXTREMUM_CONSTRAINTS = (copies.moves_int8(0), constant_axes, at_most_two_groups)


def axes(graph: Graph, op: Op) -> tuple[int, ...]:
    """The reduced axes, ascending, each once."""
    source, listed = graph.inputs_of(op)[:2]
    rank = len(source.shape)
    return tuple(sorted({axis % rank for axis in listed.array.ravel().tolist()}))


def count(graph: Graph, op: Op) -> int:
    """Elements that each output is made of."""
    shape = graph.inputs_of(op)[0].shape
    return math.prod(shape[axis] for axis in axes(graph, op))


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape, reduced = graph.inputs_of(op)[0].shape, axes(graph, op)
    if op.options.keep_dims:
        return (tuple(1 if i in reduced else dim for i, dim in enumerate(shape)),)
    return (tuple(dim for i, dim in enumerate(shape) if i not in reduced),)


def sums(multiplier: tuple[int, int], graph: Graph, op: Op,
         inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLite `reference_ops::QuantizedMeanOrSum`, int8."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    total = inputs[0].sum(axis=axes(graph, op), dtype=np.int64)
    total = total - source.zero_point * count(graph, op)
    scaled = multiply_by_quantized_multiplier(total, *multiplier)
    result = elementwise.clipped(wrapped(scaled + target.zero_point))
    return [result.reshape(shapes(graph, op)[0])]


def lower_sums(multiplier: tuple[int, int], graph: Graph, op: Op) -> tuple[Call, ...]:
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    params = (*loops(graph, op), ("sum_offset", -source.zero_point * count(graph, op)),
              ("multiplier", multiplier[0]), ("shift", multiplier[1]),
              ("output_zero_point", target.zero_point))
    return (Call("mean", "mean_s8", params, op.inputs[:1], op.outputs),)


def lower_extremum(is_maximum: int, graph: Graph, op: Op) -> tuple[Call, ...]:
    params = (*loops(graph, op), ("is_maximum", is_maximum))
    return (Call("reduce_extremum", "reduce_extremum_s8", params, op.inputs[:1], op.outputs),)


def loops(graph: Graph, op: Op) -> tuple[tuple[str, int], ...]:
    """The struct fields that reducing kernels begin with: two loops over what is kept, two over
    what is reduced."""
    groups = _groups(graph, op)
    return (*_loops("kept", [group for group in groups if not group[0]]),
            *_loops("reduced", [group for group in groups if group[0]]))


def _groups(graph: Graph, op: Op) -> list[tuple[bool, int, int]]:
    """(reduced, size, stride) of runs of neighbouring axes of one sort, axes of 1 left out."""
    shape, reduced = graph.inputs_of(op)[0].shape, axes(graph, op)
    groups, stride = [], 1
    large = [(i in reduced, dim) for i, dim in enumerate(shape) if dim != 1]
    for is_reduced, run in groupby(reversed(large), key=lambda axis: axis[0]):
        size = math.prod(dim for _, dim in run)
        groups.insert(0, (is_reduced, size, stride))
        stride *= size
    return groups


def _loops(name: str, groups: list[tuple[bool, int, int]]):
    """The struct fields of two nested loops; a missing outer one runs once."""
    outer, inner = ([(False, 1, 0)] * 2 + groups)[-2:]
    return ((f"{name}_outer", outer[1]), (f"{name}_outer_stride", outer[2]),
            (f"{name}_inner", inner[1]), (f"{name}_inner_stride", inner[2]))
