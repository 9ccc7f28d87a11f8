"""EXPAND_DIMS: the input with one more axis, of one element."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.graph import Graph, Op
from edgekit.ops import views
from edgekit.ops.base import constant_int32, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 70, 52, range(1, 2)
INPUTS = (2, 2)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    """There are none."""


def constant_axis(graph: Graph, op: Op) -> bool | str:
    """the axis must be constant int32, and one of the output"""
    source, axis = graph.inputs_of(op)
    answer = constant_int32(axis, "it")
    if answer is not True:
        return answer
    rank = len(source.shape) + 1
    return axis.size == 1 and -rank <= int(axis.array.ravel()[0]) < rank <= 6 or (
        f"{axis.array.tolist()} of rank {rank}")


CONSTRAINTS = (views.same_type, views.computed_input, constant_axis)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, axis = graph.inputs_of(op)
    shape = list(source.shape)
    shape.insert(int(axis.array.ravel()[0]) % (len(shape) + 1), 1)
    return (tuple(shape),)


reference, lower = views.reference, views.lower
