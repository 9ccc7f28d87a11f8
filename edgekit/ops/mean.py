"""MEAN: the mean over any axes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from edgekit.fixed_point import (multiply_by_quantized_multiplier, quantize_multiplier,
                                 wrapped)
from edgekit.graph import DType, Graph, Op
from edgekit.ops.base import Call, int8_activations, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 40, 27, range(1, 4)
INPUTS = (2, 2)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    keep_dims: bool = slot(0, "?", False)


def constant_axes(graph: Graph, op: Op) -> bool | str:
    """the axes must be constant int32, and axes of the input"""
    source, listed = graph.inputs_of(op)[:2]
    if listed is None or not listed.is_constant or listed.dtype is not DType.INT32:
        return f"'{listed.name}' is not" if listed else "they are left out"
    rank = len(source.shape)
    return all(-rank <= axis < rank for axis in listed.array.ravel().tolist())


def at_most_two_groups(graph: Graph, op: Op) -> bool | str:
    """kept and reduced axes may alternate at most four times"""
    groups = _groups(graph, op)
    return True if len(groups) <= 4 else f"{len(groups)} times"


def sum_fits(graph: Graph, op: Op) -> bool | str:
    """at most 2^23 elements may go into one mean"""
    count = _count(graph, op)
    return count <= 1 << 23 or f"it is {count:,}"


def shift_in_range(graph: Graph, op: Op) -> bool | str:
    """input scale / output scale must be below 2^30"""
    return bool(_multiplier(graph, op)[1] <= 30)


CONSTRAINTS = (int8_activations, constant_axes, at_most_two_groups, sum_fits, shift_in_range)


def _axes(graph: Graph, op: Op) -> tuple[int, ...]:
    """The reduced axes, ascending, each once."""
    source, listed = graph.inputs_of(op)[:2]
    rank = len(source.shape)
    return tuple(sorted({axis % rank for axis in listed.array.ravel().tolist()}))


def _count(graph: Graph, op: Op) -> int:
    """Elements that each output is the mean of."""
    shape = graph.inputs_of(op)[0].shape
    return int(np.prod([shape[axis] for axis in _axes(graph, op)], dtype=np.int64))


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape, reduced = graph.inputs_of(op)[0].shape, _axes(graph, op)
    if op.options.keep_dims:
        return (tuple(1 if i in reduced else dim for i, dim in enumerate(shape)),)
    return (tuple(dim for i, dim in enumerate(shape) if i not in reduced),)


def _multiplier(graph: Graph, op: Op) -> tuple[int, int]:
    """(multiplier, shift) with the division by the count in it.

    Source: TFLite `reference_ops::QuantizedMeanOrSum`.
    """
    source, target, count = graph.inputs_of(op)[0], graph.outputs_of(op)[0], _count(graph, op)
    multiplier, shift = quantize_multiplier(float(np.float32(source.scale))
                                            / float(np.float32(target.scale)))
    down = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << down) // count, shift - down


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLite `reference_ops::QuantizedMeanOrSum`, int8."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    total = inputs[0].sum(axis=_axes(graph, op), dtype=np.int64)
    total = total - source.zero_point * _count(graph, op)
    scaled = multiply_by_quantized_multiplier(total, *_multiplier(graph, op))
    result = np.clip(wrapped(scaled + target.zero_point), -128, 127).astype(np.int8)
    return [result.reshape(shapes(graph, op)[0])]


def _groups(graph: Graph, op: Op) -> list[tuple[bool, int, int]]:
    """(reduced, size, stride) of runs of neighbouring axes of one sort, axes of 1 left out."""
    shape, reduced = graph.inputs_of(op)[0].shape, _axes(graph, op)
    groups, stride = [], 1
    large = [(i in reduced, dim) for i, dim in enumerate(shape) if dim != 1]
    for is_reduced, run in groupby(reversed(large), key=lambda axis: axis[0]):
        size = int(np.prod([dim for _, dim in run], dtype=np.int64))
        groups.insert(0, (is_reduced, size, stride))
        stride *= size
    return groups


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    multiplier, shift = _multiplier(graph, op)
    params = [*_loops("kept", [group for group in _groups(graph, op) if not group[0]]),
              *_loops("reduced", [group for group in _groups(graph, op) if group[0]]),
              ("sum_offset", -source.zero_point * _count(graph, op)),
              ("multiplier", multiplier), ("shift", shift),
              ("output_zero_point", target.zero_point)]
    return (Call("mean", "mean_s8", tuple(params), op.inputs[:1], op.outputs),)


def _loops(name: str, groups: list[tuple[bool, int, int]]):
    """The struct fields of two nested loops; a missing outer one runs once."""
    outer, inner = ([(False, 1, 0)] * 2 + groups)[-2:]
    return ((f"{name}_outer", outer[1]), (f"{name}_outer_stride", outer[2]),
            (f"{name}_inner", inner[1]), (f"{name}_inner_stride", inner[2]))
