"""The kernels of Keras layers: which weights they are, their channels, and how a .tflite lays
them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgekit.compress.codebook import STEP

CONVOLUTIONS = {"Conv1D", "Conv2D", "SeparableConv1D", "SeparableConv2D"}
TRANSPOSED = {"Conv2DTranspose"}
DEPTHWISE = {"DepthwiseConv1D", "DepthwiseConv2D"}
TYPES = CONVOLUTIONS | TRANSPOSED | DEPTHWISE | {"Dense"}
NAMES = {"kernel", "depthwise_kernel", "pointwise_kernel"}


def kernels_of(layer) -> Iterator[Any]:
    """The variables of a layer that a converter quantizes as weights, biases left out."""
    if type(layer).__name__ in TYPES:
        yield from (weight for weight in layer.weights if weight.name in NAMES)


def channel_axes(layer, weight) -> tuple[int, ...]:
    """The axes of a kernel that number the channels of its output, in the kernel's own layout."""
    rank = len(weight.shape)
    if _is_depthwise(layer, weight):
        return (rank - 2, rank - 1)
    return (rank - 2,) if type(layer).__name__ in TRANSPOSED else (rank - 1,)


def per_channel(layer, weight, factors: np.ndarray) -> np.ndarray:
    """One factor per channel (flat) in a shape that broadcasts against the kernel."""
    axes = channel_axes(layer, weight)
    return np.reshape(factors, [size if axis in axes else 1
                                for axis, size in enumerate(weight.shape)])


def largest(layer, weight, value: np.ndarray, by_channel: bool) -> np.ndarray:
    """The largest |weight| of each channel, or of all; broadcasts against the kernel.

    A channel of zeros has 127: the scale 1, as good as any.
    """
    axes = channel_axes(layer, weight) if by_channel else ()
    others = tuple(axis for axis in range(value.ndim) if axis not in axes)
    top = np.abs(value).max(axis=others, keepdims=True)
    return np.where(top > 0, top, STEP).astype(np.float32)


def in_file_order(layer, weight, value: np.ndarray) -> np.ndarray:
    """A kernel, or what broadcasts against it, in the order of a .tflite; two axes.

    (outputs, weights of one) for convolutions (OHWI), transposed ones and Dense, and (height x
    width, channels x multiplier) for depthwise ones.
    """
    if _is_depthwise(layer, weight):
        return value.reshape(-1, value.shape[-2] * value.shape[-1])
    moved = np.moveaxis(value, channel_axes(layer, weight)[0], 0)
    return moved.reshape(len(moved), -1)


def _is_depthwise(layer, weight) -> bool:
    return weight.name == "depthwise_kernel" or type(layer).__name__ in DEPTHWISE
