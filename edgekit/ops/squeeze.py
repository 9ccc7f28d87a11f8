"""SQUEEZE: the input without its axes of one element, or without those that are named."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.graph import Graph, Op
from edgekit.ops import views
from edgekit.ops.base import no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 43, 30, range(1, 3)
INPUTS = (1, 1)
macs = no_macs


@dataclass(frozen=True, slots=True)
class Options:
    squeeze_dims: tuple[int, ...] = slot(0, "vi", ())


def axes_of_one(graph: Graph, op: Op) -> bool | str:
    """the axes must be the input's, and of one element"""
    shape, named = graph.inputs_of(op)[0].shape, op.options.squeeze_dims
    return all(-len(shape) <= axis < len(shape) and shape[axis] == 1 for axis in named) or (
        f"{list(named)} of {list(shape)}")


CONSTRAINTS = (views.same_type, views.computed_input, axes_of_one)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape = graph.inputs_of(op)[0].shape
    if not op.options.squeeze_dims:
        return (tuple(dim for dim in shape if dim != 1),)
    gone = {axis % len(shape) for axis in op.options.squeeze_dims}
    return (tuple(dim for axis, dim in enumerate(shape) if axis not in gone),)


reference, lower = views.reference, views.lower
