"""When a kernel touches each byte: what the checker knows about overlapping, read off the C code.

Written apart from `ops.overlap`, which the planner goes by: here are no bounds and no leads, but
the loops of the kernels in templates/kernels, run on arrays of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from edgekit.graph import Graph
from edgekit.ops.base import Call


def keeps_its_input(graph: Graph, call: Call, tensor: int, distance: int) -> bool:
    """Whether no byte of an input is overwritten before its last use, where the call's one output
    starts `distance` bytes before it."""
    source, target = graph.tensors[tensor], graph.tensors[call.outputs[0]]
    if call.kernel not in _KERNELS:
        return False
    first_write, last_read = _times(call, source.size, target.size)
    first_write = np.repeat(first_write, target.dtype.itemsize)
    last_read = np.repeat(last_read, source.dtype.itemsize)
    begin, end = max(0, -distance), min(last_read.size, first_write.size - distance)
    if begin >= end:
        return True
    return bool(np.all(last_read[begin:end] < first_write[begin + distance:end + distance]))


@lru_cache(maxsize=256)
def _times(call: Call, size: int, output_size: int) -> tuple[np.ndarray, np.ndarray]:
    """(time of the first write of each output element, of the last read of each input element)."""
    first_write = np.full(output_size, np.iinfo(np.int64).max)
    last_read = np.full(size, -1, np.int64)
    _KERNELS[call.kernel](dict(call.params), first_write, last_read)
    return first_write, last_read


def _one_by_one(p: dict, first_write: np.ndarray, last_read: np.ndarray) -> None:
    """Element i is read, then element i is written: broadcast inputs are not for this."""
    if first_write.size == last_read.size:
        first_write[:] = 2 * np.arange(first_write.size) + 1
        last_read[:] = 2 * np.arange(last_read.size)
    else:
        first_write[:], last_read[:] = 0, 1


def _pixels_1x1(p: dict, first_write: np.ndarray, last_read: np.ndarray) -> None:
    outputs = first_write.reshape(p["pixels"], p["output_depth"])
    inputs = last_read.reshape(p["pixels"], p["input_depth"])
    for pixel in range(0, p["pixels"], 2):
        # Channels follow one another: the pair is read until its last channel is computed.
        outputs[pixel:pixel + 2] = 2 * pixel
        inputs[pixel:pixel + 2] = 2 * pixel + 1


def _windows(p: dict) -> Iterator[tuple[int, slice, slice]]:
    """(image, rows, columns) under the filter for every output pixel, in the kernels' order."""
    for image in range(p["batches"]):
        for y in range(p["output_height"]):
            top = y * p["stride_height"] - p["pad_height"]
            bottom = top + (p["filter_height"] - 1) * p.get("dilation_height", 1) + 1
            for x in range(p["output_width"]):
                left = x * p["stride_width"] - p["pad_width"]
                right = left + (p["filter_width"] - 1) * p.get("dilation_width", 1) + 1
                yield image, slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))


def _pixel_after_pixel(p: dict, first_write: np.ndarray, last_read: np.ndarray) -> None:
    images = last_read.reshape(p["batches"], p["input_height"], p["input_width"], p["input_depth"])
    outputs = first_write.reshape(p["batches"] * p["output_height"] * p["output_width"], -1)
    for time, window in enumerate(_windows(p)):
        outputs[time] = 2 * time
        images[window] = 2 * time + 1  # for its last channels


def _four_pixels(p: dict, first_write: np.ndarray, last_read: np.ndarray) -> None:
    """edgekit_patches.h: expand four windows, then write all their channels."""
    images = last_read.reshape(p["batches"], p["input_height"], p["input_width"], p["input_depth"])
    outputs = first_write.reshape(-1, p["output_depth"])
    windows = list(_windows(p))
    count, time = len(windows), 0
    is_pointwise = p["filter_height"] * p["filter_width"] == 1 \
        and p["stride_height"] * p["stride_width"] == 1
    for pixel in range(0, count, 4):
        group = range(pixel, pixel + 4)
        if is_pointwise and pixel + 1 == count:
            group = range(pixel, pixel + 1)
        elif pixel + 4 > count:
            group = range(count - 4, count)
        for i in group:
            images[windows[i]] = time
        outputs[group.start:group.stop] = np.minimum(outputs[group.start:group.stop], time + 1)
        time += 2


def _winograd(p: dict, first_write: np.ndarray, last_read: np.ndarray) -> None:
    images = last_read.reshape(p["batches"], p["input_height"], p["input_width"], p["input_depth"])
    outputs = first_write.reshape(p["batches"], p["output_height"], p["output_width"], -1)
    time = 0
    for image in range(p["batches"]):
        for row in range(0, p["output_height"], 2):
            for column in range(0, p["output_width"], 4):
                y, x = row - p["pad_height"], column - p["pad_width"]
                images[image, max(y, 0):max(y + 4, 0), max(x, 0):max(x + 6, 0)] = time
                outputs[image, row:row + 2, column:column + 4] = time + 1
                time += 2


def _blocks_of_channels(p: dict, first_write: np.ndarray, last_read: np.ndarray) -> None:
    """depthwise_conv_2d_3x3_s8_dsp: four channels go through all images, then the next four."""
    images = last_read.reshape(p["batches"], p["input_height"], p["input_width"], p["depth"])
    outputs = first_write.reshape(p["batches"], p["output_height"], p["output_width"], p["depth"])
    rows, time = 2 if p["stride"] == 1 else 1, 0
    for channel in range(0, p["depth"], 4):
        first = min(channel, p["depth"] - 4)
        block = slice(first, first + 4)
        for image in range(p["batches"]):
            y = -p["pad_height"]
            images[image, max(y, 0):max(y + 2, 0), :, block] = time
            for row in range(0, p["output_height"], rows):
                y += 2
                images[image, max(y, 0):max(y + 2, 0), :, block] = time
                part = outputs[image, row:row + rows, :, block]
                part[:] = np.minimum(part, time + 1)
                time += 2


def _pairs_of_rows(p: dict, first_write: np.ndarray, last_read: np.ndarray) -> None:
    """edgekit_row_pairs.h: each channel goes through the image, two rows of outputs at a time, of
    which the next are packed before any is written; then the constants, which are never read."""
    images = last_read.reshape(p["batches"], p["input_height"], p["input_width"], p["depth"])
    outputs = first_write.reshape(p["batches"], p["output_height"], p["output_width"], p["depth"])
    numbers = [words >> 8 for words in (p["weights"].values[6::7] if p["weights"] else [])]
    still = [word >> 8 for word in (p["constants"].values if p["constants"] else [])]
    height, time = p["stride"] + 3, 0
    for image in range(p["batches"]):
        for channel in numbers:
            for row in range(-2, p["output_height"], 2):
                y = (row + 2) * p["stride"] - p["pad_height"]
                if row + 2 < p["output_height"]:
                    images[image, max(y, 0):max(y + height, 0), :, channel] = time
                if row >= 0:
                    outputs[image, row:row + 2, :, channel] = time + 1
                time += 2
        outputs[image][:, :, still] = time
        time += 1


_KERNELS: dict[str, Callable[[dict, np.ndarray, np.ndarray], None]] = {
    **dict.fromkeys(("add_s8", "add_s8_dsp", "mul_s8", "extremum_s8", "prelu_s8",
                     "squared_difference_s8", "lookup_s8", "quantize_f32", "dequantize_s8",
                     "softmax_s8"), _one_by_one),  # softmax: its last reading of a row
    "conv_2d_1x1_s8": _pixels_1x1,
    **dict.fromkeys(("conv_2d_s8", "depthwise_conv_2d_s8", "depthwise_conv_2d_s8_dsp",
                     "average_pool_2d_s8", "average_pool_2d_s8_dsp", "max_pool_2d_s8"),
                    _pixel_after_pixel),
    **dict.fromkeys(("conv_2d_s8_dsp", "conv_2d_s8_rv32", "conv_2d_s8_armv6m"), _four_pixels),
    "conv_2d_winograd_s8_dsp": _winograd,
    "depthwise_conv_2d_3x3_s8_rv32": _pairs_of_rows,
    "depthwise_conv_2d_3x3_s8_armv6m": _pairs_of_rows,
    "depthwise_conv_2d_3x3_s8_dsp": _blocks_of_channels,
}
