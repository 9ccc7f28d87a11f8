"""EXPAND_DIMS: the input with one more axis, of one element."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.ops import base, views
from edgekit.ops.base import NoOptions, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 70, 52, range(1, 2)
INPUTS = (2, 2)
macs = no_macs
Options = NoOptions


def constant_axis(graph: Graph, op: Op) -> bool | str:
    """the axis must be constant int32, and one of the output"""
    source, axis = graph.inputs_of(op)
    rank = len(source.shape) + 1
    answer = base.constant_axis(axis, rank)
    return answer if answer is not True or rank <= 6 else f"{axis.array.tolist()} of rank {rank}"


CONSTRAINTS = (views.same_type, views.computed_input, constant_axis)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, axis = graph.inputs_of(op)
    shape = list(source.shape)
    shape.insert(base.axis_of(axis, len(shape) + 1), 1)
    return (tuple(shape),)


reference, lower = views.reference, views.lower
