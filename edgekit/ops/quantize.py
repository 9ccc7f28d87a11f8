"""QUANTIZE: float32 -> int8, or int8 -> int8 of another scale and zero point."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import multiply_by_quantized_multiplier
from edgekit.graph import DType, Graph, Op
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, NoOptions, has_one_scale, is_int8, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 114, 89, range(1, 5)
INPUTS = (1, 1)
Options = NoOptions


def float_or_int8_to_int8(graph: Graph, op: Op) -> bool | str:
    """the input must be float32, or int8 quantized per tensor; the output int8 likewise"""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if not (is_int8(target) and has_one_scale(target)):
        return f"'{target.name}' is {target.dtype.value}"
    if source.dtype is DType.FLOAT32 or is_int8(source) and has_one_scale(source):
        return True
    return f"'{source.name}' is {source.dtype.value}"


def computed_floats(graph: Graph, op: Op) -> bool | str:
    """a float32 input must not be a constant: the converter stores its int8 values instead"""
    source = graph.inputs_of(op)[0]
    return source.dtype is not DType.FLOAT32 or not source.is_constant or f"'{source.name}' is"


def ratio_fits(graph: Graph, op: Op) -> bool:
    """input scale / output scale must be below 2^23"""
    source = graph.inputs_of(op)[0]
    return source.dtype is DType.FLOAT32 or elementwise.ratio_fits(graph, op)


CONSTRAINTS = (float_or_int8_to_int8, computed_floats, ratio_fits)

shapes, macs = elementwise.same_shape, no_macs


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::AffineQuantize` and `reference_ops::Requantize`.

    Floats that the output cannot hold saturate and NaN becomes the zero point; TFLM's
    conversion of a float beyond int32 is undefined.
    """
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if source.dtype is DType.FLOAT32:
        steps = _rounded(inputs[0].astype(np.float32) / np.float32(target.scale))
    else:
        offset = inputs[0].astype(np.int64) - source.zero_point
        steps = multiply_by_quantized_multiplier(offset, *elementwise.ratio(graph, op))
    return [np.clip(steps + target.zero_point, -128, 127).astype(np.int8)]


def _rounded(steps: np.ndarray) -> np.ndarray:
    """float32 -> int64, half away from zero, within +-256."""
    limited = np.clip(np.where(np.isnan(steps), 0, steps), -256, 256).astype(np.float64)
    return (np.sign(limited) * np.floor(np.abs(limited) + 0.5)).astype(np.int64)


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if source.dtype is not DType.FLOAT32:
        return elementwise.lookup(graph, op, reference)
    params = (("count", source.size), ("scale_bits", elementwise.float_bits(target.scale)),
              ("zero_point", target.zero_point))
    return (Call("quantize", "quantize_f32", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
