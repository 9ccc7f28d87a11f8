"""RELU6: output = min(max(input, 0), 6)."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import activation_range
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs, same_quantization

CODE, OPTIONS_TYPE, VERSIONS = 21, 0, range(1, 4)
INPUTS = (1, 1)
Options = NoOptions


def six_fits(graph: Graph, op: Op) -> bool | str:
    """the scale must be at least 2^-28"""
    # Below, 6 / scale leaves int32, and TFLM's conversion is undefined.
    scale = graph.inputs_of(op)[0].scale
    return scale >= 2**-28 or f"it is {scale:g}"


# TFLM clamps without rescaling: with two quantizations it would give wrong numbers silently.
CONSTRAINTS = (int8_activations, same_quantization, six_fits)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `Relu6Quantized` and `Relu6Prepare`."""
    source = graph.inputs_of(op)[0]
    return [np.clip(inputs[0], *activation_range(3, source.scale, source.zero_point))
            .astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
