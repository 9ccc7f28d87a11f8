"""Sliding windows over height and width: output sizes, padding and taps.

Source: TFLite `kernels/padding.h` (ComputeOutSize, ComputePadding).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgekit.graph import Graph, Op

SAME, VALID = 0, 1


@dataclass(frozen=True, slots=True)
class Axis:
    """The window along one image axis; `pad` is what lies before the image, in elements."""

    size: int
    filter: int
    stride: int
    dilation: int
    padding: int

    @property
    def reach(self) -> int:
        """Input elements that one window spans, dilation included."""
        return (self.filter - 1) * self.dilation + 1

    @property
    def output(self) -> int:
        if self.padding == SAME:
            return -(-self.size // self.stride)
        return (self.size + self.stride - self.reach) // self.stride

    @property
    def pad(self) -> int:
        return max(0, (self.output - 1) * self.stride + self.reach - self.size) // 2

    @property
    def pad_after(self) -> int:
        return max(0, (self.output - 1) * self.stride + self.reach - self.size - self.pad)


def axes(shape: tuple[int, ...], options: object, filter_shape: tuple[int, int],
         dilation: tuple[int, int] = (1, 1)) -> tuple[Axis, Axis]:
    """The (height, width) axes of a window over an NHWC image."""
    strides = (options.stride_h, options.stride_w)
    return tuple(Axis(*numbers, options.padding)
                 for numbers in zip(shape[1:3], filter_shape, strides, dilation))


def taps(image: np.ndarray, window: tuple[Axis, Axis], fill: int) -> Iterator[np.ndarray]:
    """For each tap of the window, row by row, the [N, output height, output width, C] view of
    the NHWC image that it sees; outside the image it sees `fill`."""
    rows, columns = window
    padded = np.pad(image, ((0, 0), (rows.pad, rows.pad_after),
                            (columns.pad, columns.pad_after), (0, 0)), constant_values=fill)
    for y in range(0, rows.reach, rows.dilation):
        bottom = y + (rows.output - 1) * rows.stride + 1
        for x in range(0, columns.reach, columns.dilation):
            right = x + (columns.output - 1) * columns.stride + 1
            yield padded[:, y:bottom:rows.stride, x:right:columns.stride]


def image_params(shape: tuple[int, ...], window: tuple[Axis, Axis]) -> tuple[tuple[str, int], ...]:
    """The struct fields that every windowed kernel starts with."""
    rows, columns = window
    return (("batches", shape[0]), ("input_height", rows.size), ("input_width", columns.size),
            ("input_depth", shape[3]), ("output_height", rows.output),
            ("output_width", columns.output), ("filter_height", rows.filter),
            ("filter_width", columns.filter), ("stride_height", rows.stride),
            ("stride_width", columns.stride), ("pad_height", rows.pad),
            ("pad_width", columns.pad))


# Constraints that the windowed operators share.

def image(graph: Graph, op: Op) -> bool | str:
    """the input must be [batch, height, width, channels]"""
    shape = graph.inputs_of(op)[0].shape
    return True if len(shape) == 4 and 0 not in shape else f"{shape}"


def positive_strides(graph: Graph, op: Op) -> bool | str:
    """strides and dilations must be at least 1, and the padding SAME or VALID"""
    names = ("stride_h", "stride_w", "dilation_h", "dilation_w")
    numbers = [getattr(op.options, name, 1) for name in names]
    if op.options.padding not in (SAME, VALID):
        return f"padding {op.options.padding}"
    return True if min(numbers) >= 1 else f"{numbers}"


MAX_REACH = 4096  # elements; beyond the image a window sees nothing, at any length


def reach_in_range(rows: Axis, columns: Axis) -> bool | str:
    """Whether both sides of a window, dilation included, are at most the image's or MAX_REACH."""
    for axis in (rows, columns):
        if axis.reach > max(axis.size, MAX_REACH):
            return f"it spans {axis.reach} elements of {axis.size}"
    return True
