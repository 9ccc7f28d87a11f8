"""RESIZE_BILINEAR: an image of another size, each pixel of it between four."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies, resizing
from edgekit.ops.base import Call, Constant, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 23, 15, range(1, 5)
INPUTS = (2, 2)
macs, shapes = no_macs, resizing.shapes

ONE = 1 << 10  # places and weights are in 1024ths of a pixel


@dataclass(frozen=True, slots=True)
class Options:
    align_corners: bool = slot(2, "?", False)
    half_pixel_centers: bool = slot(3, "?", False)


def places_inside(graph: Graph, op: Op) -> bool | str:
    """no row or column may lie behind the image, where a rounded scale adds up"""
    for between, dim in zip(_rows_and_columns(graph, op), graph.inputs_of(op)[0].shape[1:3]):
        if between.first.max() >= dim:
            return f"{int(between.first.max())} of {dim}"
    return True


CONSTRAINTS = (copies.moves_int8(0), resizing.constant_size, places_inside)


@dataclass(frozen=True, slots=True)
class Between:
    """For each row (or column) of the output the two of the input, and the second one's weight."""

    first: np.ndarray
    second: np.ndarray
    weight: np.ndarray


def _between(op: Op, size: int, target: int) -> Between:
    """Source: TFLite `ComputeInterpolationValuesInteger`; int32 divisions go towards 0."""
    if op.options.align_corners and target > 1:
        scale = (ONE * (size - 1) + (target - 1) // 2) // (target - 1)
    else:
        scale = (ONE * size + target // 2) // target
    place = np.arange(target, dtype=np.int64) * scale
    if op.options.half_pixel_centers:
        place += scale // 2 - ONE // 2
    first = np.maximum(_divided(place), 0)
    second = np.minimum(_divided(place + ONE - 1), size - 1)
    return Between(first, second, place - ONE * first)


def _divided(value: np.ndarray) -> np.ndarray:
    """value / 1024, rounded towards 0."""
    return np.sign(value) * (np.abs(value) // ONE)


def _rows_and_columns(graph: Graph, op: Op) -> tuple[Between, Between]:
    source, size = graph.inputs_of(op)
    return tuple(_between(op, dim, target)
                 for dim, target in zip(source.shape[1:3], size.array.tolist()))


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::ResizeBilinearInteger`: weights are never rounded, the sum is
    rounded half away from zero, one step further where it is not positive."""
    rows, columns = _rows_and_columns(graph, op)
    image = inputs[0].astype(np.int64)
    down, across = rows.weight[:, None, None], columns.weight[:, None]
    total = 0
    for row, row_weight in ((rows.first, ONE - down), (rows.second, down)):
        for column, column_weight in ((columns.first, ONE - across), (columns.second, across)):
            total = total + image[:, row][:, :, column] * row_weight * column_weight
    rounded = total + np.where(total > 0, ONE * ONE // 2, -(ONE * ONE // 2))
    return [(np.sign(rounded) * (np.abs(rounded) // (ONE * ONE))).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    batches, height, width, depth = graph.inputs_of(op)[0].shape
    rows, columns = _rows_and_columns(graph, op)
    tables = []
    for name, between, step in (("row", rows, width * depth), ("column", columns, depth)):
        table = np.stack([between.first * step, between.second * step, between.weight], axis=1)
        tables.append((f"{name}s", Constant.of(table.astype(np.int32))))
    params = (("batches", batches), ("input_batch", height * width * depth),
              ("output_height", len(rows.weight)), ("output_width", len(columns.weight)),
              ("depth", depth), *tables)
    return (Call("resize_bilinear", "resize_bilinear_s8", params, op.inputs[:1], op.outputs),)
