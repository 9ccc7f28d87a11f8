"""RESHAPE: the same bytes under another shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgekit.graph import DType, Graph, Op
from edgekit.ops import views
from edgekit.ops.base import no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 22, 17, range(1, 3)
INPUTS = (1, 2)


@dataclass(frozen=True, slots=True)
class Options:
    new_shape: tuple[int, ...] = slot(0, "vi", ())


def constant_shape(graph: Graph, op: Op) -> bool | str:
    """the new shape, where it is an input, must be constant int32"""
    shape = graph.inputs_of(op)[1] if len(op.inputs) > 1 else None
    if shape is None or shape.is_constant and shape.dtype is DType.INT32:
        return True
    return f"'{shape.name}' is {shape.dtype.value if shape.is_constant else 'computed'}"


def size_stays(graph: Graph, op: Op) -> bool | str:
    """the new shape must have the input's number of elements"""
    source, wanted = graph.inputs_of(op)[0], _wanted(graph, op)
    known = math.prod(dim for dim in wanted if dim != -1)
    if wanted.count(-1) > 1 or any(dim < -1 or dim == 0 for dim in wanted):
        return f"{list(wanted)} is no shape"
    if source.size % known if -1 in wanted else source.size != known:
        return f"{list(source.shape)} to {list(wanted)}"
    return True


CONSTRAINTS = (views.same_type, views.computed_input, constant_shape, size_stays)

macs = no_macs


def _wanted(graph: Graph, op: Op) -> tuple[int, ...]:
    """The new shape as the file gives it: a -1 stands for what is left."""
    shape = graph.inputs_of(op)[1] if len(op.inputs) > 1 else None
    if shape is not None:
        return tuple(int(dim) for dim in shape.array.reshape(-1))
    return op.options.new_shape


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    wanted = _wanted(graph, op)
    known = math.prod(dim for dim in wanted if dim != -1)
    rest = graph.inputs_of(op)[0].size // known
    return (tuple(rest if dim == -1 else dim for dim in wanted),)


reference, lower = views.reference, views.lower
