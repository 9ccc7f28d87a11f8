"""DEQUANTIZE: int8 -> float32, output = scale * (input - zero_point)."""

from __future__ import annotations

import numpy as np

from edgekit.graph import DType, Graph, Op
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, NoOptions, has_one_scale, is_int8, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 6, 38, range(1, 7)
INPUTS = (1, 1)
Options = NoOptions


def int8_to_float(graph: Graph, op: Op) -> bool | str:
    """the input must be int8 quantized per tensor, the output float32"""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if not (is_int8(source) and has_one_scale(source)):
        return f"'{source.name}' is {source.dtype.value}"
    return target.dtype is DType.FLOAT32 or f"'{target.name}' is {target.dtype.value}"


CONSTRAINTS = (int8_to_float,)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Dequantize`.

    TFLM multiplies in double and rounds to float32; the product of a 24-bit and a 9-bit
    integer is exact in double, so one float32 multiplication gives the same.
    """
    source = graph.inputs_of(op)[0]
    offset = inputs[0].astype(np.int32) - source.zero_point
    return [np.float32(source.scale) * offset.astype(np.float32)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source = graph.inputs_of(op)[0]
    params = (("count", source.size), ("scale_bits", elementwise.float_bits(source.scale)),
              ("zero_point", source.zero_point))
    return (Call("dequantize", "dequantize_s8", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
