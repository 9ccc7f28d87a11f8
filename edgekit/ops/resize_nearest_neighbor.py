"""RESIZE_NEAREST_NEIGHBOR: an image of another size, each pixel of it the nearest one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op
from edgekit.ops import copies, gathering, resizing
from edgekit.ops.base import Call, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 97, 74, range(1, 5)
INPUTS = (2, 2)
macs, shapes = no_macs, resizing.shapes


@dataclass(frozen=True, slots=True)
class Options:
    align_corners: bool = slot(0, "?", False)
    half_pixel_centers: bool = slot(1, "?", False)


CONSTRAINTS = (copies.moves_int8(0), resizing.constant_size)


def _nearest(op: Op, size: int, target: int) -> np.ndarray:
    """The input's row (or column) that each of `target` ones shows.

    Source: TFLite `reference_ops::GetNearestNeighbor`, in float32.
    """
    aligned = op.options.align_corners
    scale = np.float32(size - 1) / np.float32(target - 1) if aligned and target > 1 else \
        np.float32(size) / np.float32(target)
    offset = np.float32(0.5 if op.options.half_pixel_centers else 0)
    place = (np.arange(target, dtype=np.float32) + offset) * scale
    # Rounds half away from zero; nothing is below zero.
    index = np.floor(place.astype(np.float64) + 0.5) if aligned else np.floor(place)
    return np.clip(index.astype(np.int64), 0, size - 1)


def _rows_and_columns(graph: Graph, op: Op) -> tuple[np.ndarray, np.ndarray]:
    source, size = graph.inputs_of(op)
    return tuple(_nearest(op, dim, target)
                 for dim, target in zip(source.shape[1:3], size.array.tolist()))


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::ResizeNearestNeighbor`."""
    rows, columns = _rows_and_columns(graph, op)
    return [inputs[0][:, rows][:, :, columns]]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    batches, height, width, depth = graph.inputs_of(op)[0].shape
    rows, columns = _rows_and_columns(graph, op)
    return (gathering.call(op, batches, height * width * depth, rows * width * depth,
                           columns * depth, depth),)
