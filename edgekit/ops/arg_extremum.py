"""What ARG_MAX and ARG_MIN share: where along an axis the largest or smallest element is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgekit.graph import DType, Graph, Op
from edgekit.ops import base
from edgekit.ops.base import Call, is_int8, slot

_INT32 = 2  # in the schema


@dataclass(frozen=True, slots=True)
class Options:
    output_type: int = slot(0, "b")


def int8_to_int32(graph: Graph, op: Op) -> bool | str:
    """the input must be int8, the output int32"""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if not is_int8(source):
        return f"'{source.name}' is {source.dtype.value}"
    return target.dtype is DType.INT32 and op.options.output_type == _INT32 or (
        f"'{target.name}' is {target.dtype.value}")


def constant_axis(graph: Graph, op: Op) -> bool | str:
    """the axis must be one constant int32, and one of the input"""
    source, axis = graph.inputs_of(op)
    return base.constant_axis(axis, len(source.shape))


CONSTRAINTS = (int8_to_int32, constant_axis)


def axis_of(graph: Graph, op: Op) -> int:
    source, axis = graph.inputs_of(op)
    return base.axis_of(axis, len(source.shape))


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape, axis = graph.inputs_of(op)[0].shape, axis_of(graph, op)
    return (shape[:axis] + shape[axis + 1:],)


def lower(is_maximum: int, graph: Graph, op: Op) -> tuple[Call, ...]:
    shape, axis = graph.inputs_of(op)[0].shape, axis_of(graph, op)
    params = (("outer", math.prod(shape[:axis])), ("length", shape[axis]),
              ("inner", math.prod(shape[axis + 1:])), ("is_maximum", is_maximum))
    return (Call("arg_extremum", "arg_extremum_s8", params, op.inputs[:1], op.outputs),)
