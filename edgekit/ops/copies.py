"""What operators share that only move data: boxes with strides, for one kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops.base import Call, Constant, Constraint, has_one_scale, is_int8


@dataclass(frozen=True, slots=True)
class Piece:
    """A box: its shape, and where its first element is in the input and in the output."""

    shape: tuple[int, ...]
    input_start: int = 0
    output_start: int = 0


def strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Elements from one entry of each axis to the next, where the last axis is the innermost."""
    return tuple(math.prod(shape[axis + 1:]) for axis in range(len(shape)))


def copy(source: int, target: int, pieces: list[Piece], input_strides: tuple[int, ...],
         output_strides: tuple[int, ...]) -> Call:
    """The call that moves int8 pieces from one tensor to another."""
    dims = _merged([piece.shape for piece in pieces], input_strides, output_strides)
    shapes, inputs, outputs = zip(*dims)
    starts = [(piece.input_start, piece.output_start) for piece in pieces]
    params = (("rank", len(dims)), ("pieces", len(pieces)),
              ("shape", Constant.of(np.array(shapes, np.int32).T)),
              ("start", Constant.of(np.array(starts, np.int32))),
              ("input_stride", Constant.of(np.array(inputs, np.int32))),
              ("output_stride", Constant.of(np.array(outputs, np.int32))))
    return Call("strided_copy", "strided_copy", params, (source,), (target,))


def _merged(shapes: list[tuple[int, ...]], inputs: tuple[int, ...],
            outputs: tuple[int, ...]) -> list[tuple[tuple[int, ...], int, int]]:
    """(size in each piece, input stride, output stride) per axis; axes of 1 are gone, and
    neighbours that both sides cross with one stride are one axis."""
    dims: list[tuple[tuple[int, ...], int, int]] = []
    for sizes, *steps in zip(zip(*shapes), inputs, outputs):
        if set(sizes) == {1}:
            continue
        is_one = dims and len(set(sizes)) == 1 and all(
            outer == inner * sizes[0] for outer, inner in zip(dims[-1][1:], steps))
        if is_one:
            sizes = tuple(outer * sizes[0] for outer in dims.pop()[0])
        dims.append((sizes, *steps))
    return dims or [((1,) * len(shapes), 1, 1)]


def lower(graph: Graph, op: Op, piece: Piece, input_strides: tuple[int, ...],
          output_strides: tuple[int, ...]) -> tuple[Call, ...]:
    """One copy from the first input to the output; nothing where that leaves all bytes in place:
    the output is then a view."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    call = copy(op.inputs[0], op.outputs[0], [piece], input_strides, output_strides)
    given = dict(call.params)
    stays = (given["rank"] == 1 and given["start"].values == [0, 0]
             and given["input_stride"].values == given["output_stride"].values == [1])
    return () if stays and source.size == target.size and not source.is_constant else (call,)


def transposed(graph: Graph, op: Op, cut: tuple[int, ...],
               order: tuple[int, ...]) -> tuple[Call, ...]:
    """The first input, of shape `cut`, with its axes in another order."""
    steps, shape = strides(cut), tuple(cut[axis] for axis in order)
    return lower(graph, op, Piece(shape), tuple(steps[axis] for axis in order), strides(shape))


def along_axis(graph: Graph, axis: int, parts: tuple[int, ...], whole: int,
               sizes: list[int], *, joins: bool) -> tuple[Call, ...]:
    """A copy for each part: to its place in the whole tensor, which it is `sizes` of along the
    axis, where it `joins` them; from there where not."""
    shape = graph.tensors[whole].shape
    inside, row = math.prod(shape[axis + 1:]), math.prod(shape[axis:])
    calls, offset = [], 0
    for part, size in zip(parts, sizes, strict=True):
        box, own = (math.prod(shape[:axis]), size * inside), (size * inside, 1)
        if joins:
            calls.append(copy(part, whole, [Piece(box, 0, offset)], own, (row, 1)))
        else:
            calls.append(copy(whole, part, [Piece(box, offset, 0)], (row, 1), own))
        offset += size * inside
    return tuple(calls)


def fill(graph: Graph, target: int, value: int) -> Call:
    """The call that sets a whole int8 tensor."""
    params = (("count", graph.tensors[target].size), ("value", value))
    return Call("fill", "fill_s8", params, (), (target,))


def moves_int8(*inputs: int) -> Constraint:
    """The constraint that these inputs (all, where none is named) become the outputs unchanged."""
    def moved_unchanged(graph: Graph, op: Op) -> bool | str:
        """what is moved must be int8 with one scale and zero point, the outputs' too"""
        given = graph.inputs_of(op)
        tensors = [*(given[i] for i in inputs or range(len(given))), *graph.outputs_of(op)]
        for tensor in tensors:
            if not is_int8(tensor):
                return f"'{tensor.name}' is {tensor.dtype.value}" if tensor else "one is left out"
            if not has_one_scale(tensor):
                return f"'{tensor.name}' has no single scale"
            if tensor.quant != tensors[-1].quant:
                return f"'{tensor.name}' and '{tensors[-1].name}' differ"
        return True

    return moved_unchanged
