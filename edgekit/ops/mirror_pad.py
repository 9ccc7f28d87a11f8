"""MIRROR_PAD: the input with borders that mirror it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies, padding
from edgekit.ops.base import Call, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 100, 77, range(1, 4)
INPUTS = (2, 2)
macs = no_macs

REFLECT, SYMMETRIC = 0, 1  # without and with the border's own element


@dataclass(frozen=True, slots=True)
class Options:
    mode: int = slot(0, "b")


def mirror_is_long_enough(graph: Graph, op: Op) -> bool | str:
    """the mode must be REFLECT or SYMMETRIC, and no border longer than what it mirrors"""
    source, paddings = graph.inputs_of(op)
    if op.options.mode not in (REFLECT, SYMMETRIC):
        return f"it is number {op.options.mode}"
    for dim, pad in zip(source.shape, paddings.array.tolist()):
        if max(pad) > dim - _skipped(op):
            return f"{pad} around {dim}"
    return True


CONSTRAINTS = (copies.moves_int8(0), padding.constant_paddings, mirror_is_long_enough)

shapes = padding.shapes


def _skipped(op: Op) -> int:
    """Elements at the border that the mirror does not show."""
    return 1 if op.options.mode == REFLECT else 0


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `MirrorPad` and `GetInputDimension` in mirror_pad.cc."""
    return [np.pad(inputs[0], inputs[1].tolist(),
                   mode="reflect" if op.options.mode == REFLECT else "symmetric")]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    """The input to its place, then axis after axis the borders out of the output itself."""
    source, paddings = graph.inputs_of(op)
    (shape,) = shapes(graph, op)
    steps, calls = copies.strides(shape), list(padding.inside(graph, op))
    begin, box = paddings.array[:, 0].tolist(), list(source.shape)
    for axis, (before, after) in enumerate(paddings.array.tolist()):
        for count, first, mirrored in (
                (before, before - 1, before + _skipped(op)),
                (after, before + source.shape[axis],
                 before + source.shape[axis] - 1 - _skipped(op))):
            if count:
                calls.append(_border(op, axis, count, (first, mirrored), box, begin, steps))
        begin[axis], box[axis] = 0, shape[axis]
    return tuple(calls)


def _border(op: Op, axis: int, count: int, firsts: tuple[int, int], box: list[int],
            begin: list[int], steps: tuple[int, ...]) -> Call:
    """`count` slices away from `firsts`: (where the first goes, which one it mirrors)."""
    first, mirrored = firsts
    direction = -1 if first < mirrored else 1
    shape = (*box[:axis], count, *box[axis + 1:])
    rest = sum(b * step for i, (b, step) in enumerate(zip(begin, steps)) if i != axis)
    piece = copies.Piece(shape, rest + mirrored * steps[axis], rest + first * steps[axis])
    inputs, outputs = list(steps), list(steps)
    inputs[axis], outputs[axis] = -direction * steps[axis], direction * steps[axis]
    return copies.copy(op.outputs[0], op.outputs[0], [piece], tuple(inputs), tuple(outputs))
