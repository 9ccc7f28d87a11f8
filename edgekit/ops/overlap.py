"""How far a kernel's output may lie over an input of it: from the order of its reads and writes.

A kernel goes forward through both. Before step t it has written output bytes below written[t - 1],
and from then on it reads input bytes from needed[t] on alone. So the output may cover the input
where it starts early enough: the `lead`, in bytes.
"""

from __future__ import annotations

import numpy as np

from edgekit.graph import Graph
from edgekit.ops.base import Over


def lead(written: np.ndarray, needed: np.ndarray, *, reads_first: bool) -> int:
    """The fewest bytes from the output's start to the input's that keep every read right.

    `written[t]` is the byte behind the last that step t writes, `needed[t]` the lowest that it
    reads; with `reads_first` a step has read everything before it writes anything.
    """
    still_needed = np.minimum.accumulate(np.asarray(needed, np.int64)[::-1])[::-1]
    behind = np.maximum.accumulate(np.asarray(written, np.int64))
    if reads_first:
        behind, still_needed = behind[:-1], still_needed[1:]
    return int(max(0, (behind - still_needed).max(initial=0)))


def elementwise(graph: Graph, inputs: tuple[int, ...], output: int) -> tuple[Over, ...]:
    """For kernels that read element i of each input, then write element i: inputs of the output's
    number of elements. One that is broadcast may be read again."""
    target = graph.tensors[output]
    wider = [(i, target.dtype.itemsize - graph.tensors[i].dtype.itemsize) for i in inputs
             if graph.tensors[i].size == target.size and not graph.tensors[i].is_constant]
    return tuple(Over(i, max(0, more * (target.size - 1))) for i, more in dict(wider).items())


def windowed(tensor: int, shape: tuple[int, ...], window: tuple, output_depth: int) -> tuple[Over]:
    """For kernels that go through an int8 NHWC image pixel by pixel of the output, and write
    some of a pixel's channels before they read the window again for others."""
    needed = window_reads(shape, window)
    written = np.arange(1, len(needed) + 1) * output_depth
    return (Over(tensor, lead(written, needed, reads_first=False)),)


def window_reads(shape: tuple[int, ...], window: tuple) -> np.ndarray:
    """The lowest byte of an int8 NHWC image under the window of each output pixel, in order."""
    batches, height, width, depth = shape
    rows, columns = window
    top = np.maximum(np.arange(rows.output) * rows.stride - rows.pad, 0)
    left = np.maximum(np.arange(columns.output) * columns.stride - columns.pad, 0)
    image = np.arange(batches) * (height * width)
    return ((image[:, None, None] + top[:, None] * width + left) * depth).reshape(-1)
