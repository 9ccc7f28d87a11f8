"""What elementwise operators share: broadcasting of two inputs, tables for functions of one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from edgekit.fixed_point import (activation_range, multiply_by_quantized_multiplier,
                                 quantize_multiplier)
from edgekit.graph import Graph, Op
from edgekit.ops import overlap
from edgekit.ops.base import Call, Constant

RANK = 6  # dimensions the kernels loop over: as many as the reader takes


def broadcastable(graph: Graph, op: Op) -> bool | str:
    """the inputs' shapes must broadcast"""
    a, b = (tensor.shape for tensor in graph.inputs_of(op))
    try:
        merged(a, b)
    except ValueError:
        return f"{list(a)} and {list(b)}"
    return True


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    return (np.broadcast_shapes(*(tensor.shape for tensor in graph.inputs_of(op))),)


def scale_of(tensor) -> float:
    """The float32 scale as a double, as TFLM computes with it."""
    return float(np.float32(tensor.scale))


def requantize(graph: Graph, op: Op, accumulator: np.ndarray, real: float) -> np.ndarray:
    """int32 accumulators -> int8 outputs by the real multiplier `real`, clamped."""
    target = graph.outputs_of(op)[0]
    low, high = activation_range(op.options.activation, target.scale, target.zero_point)
    scaled = multiply_by_quantized_multiplier(accumulator, *quantize_multiplier(real))
    return np.clip(scaled + target.zero_point, low, high).astype(np.int8)


def clamp_params(graph: Graph, op: Op):
    """The struct fields that ADD, SUB and MUL end with."""
    target = graph.outputs_of(op)[0]
    low, high = activation_range(op.options.activation, target.scale, target.zero_point)
    return (("output_zero_point", target.zero_point),
            ("activation_min", low), ("activation_max", high))


def merged(a: tuple[int, ...], b: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """(size, stride of a, stride of b) per dimension of the output, outermost first.

    Strides are in elements and 0 along a dimension that is broadcast; dimensions of size 1
    are gone, and neighbours that both inputs cross with one stride are one dimension.
    Raises ValueError for shapes that do not broadcast.
    """
    dims: list[tuple[int, int, int]] = []
    shape = np.broadcast_shapes(a, b)
    for size, *strides in zip(shape, _strides(a, shape), _strides(b, shape)):
        if size == 1:
            continue
        if dims and all(outer == inner * size for outer, inner in zip(dims[-1][1:], strides)):
            size *= dims.pop()[0]
        dims.append((size, *strides))
    return dims


def _strides(shape: tuple[int, ...], target: tuple[int, ...]) -> list[int]:
    strides, step = [], 1
    for size in reversed((1,) * (len(target) - len(shape)) + shape):
        strides.append(0 if size == 1 else step)
        step *= size
    return strides[::-1]


def traversal_params(graph: Graph, inputs: tuple[int, ...]):
    """The struct fields that broadcasting kernels begin with: the output's shape, the strides."""
    dims = merged(*(graph.tensors[i].shape for i in inputs)) or [(1, 0, 0)]
    return (("over.rank", len(dims)), *(
        (f"over.{name}", Constant.of(np.array(column, np.int32)))
        for name, column in zip(("shape", "input1_stride", "input2_stride"), zip(*dims))))


def lookup(graph: Graph, op: Op, reference: Callable) -> tuple[Call, ...]:
    """The kernel call of a function of one int8: reference()'s answers to all 256 values."""
    values = np.arange(-128, 128, dtype=np.int8)
    (table,) = reference(graph, op, [values])
    params = (("count", graph.inputs_of(op)[0].size), ("table", Constant.of(table)))
    return (Call("lookup", "lookup_s8", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)


def output_in_256ths(graph: Graph, op: Op) -> bool | str:
    """the output must have scale 1/256 and zero point -128"""
    quant = graph.outputs_of(op)[0].quant
    if (quant.scale, quant.zero_point) != ((1 / 256,), (-128,)):
        return f"they are {quant.scale[0]:g} and {quant.zero_point[0]}"
    return True


def same_shape(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    """The output shape of a function of one element."""
    return (graph.inputs_of(op)[0].shape,)


def float_bits(value: float) -> int:
    """A float32's bits as an integer: how a kernel's params hold a float."""
    return int(np.float32(value).view(np.int32))


def input_scale_in_range(graph: Graph, op: Op) -> bool | str:
    """the input's scale must be between 2^-28 and 16"""
    scale = graph.inputs_of(op)[0].scale
    return 2**-28 <= scale < 16 or f"it is {scale:g}"


def limited_radius(scale: float, integer_bits: int) -> tuple[int, int, int]:
    """(radius, multiplier, shift): beyond the radius an input is outside what `integer_bits` hold;
    inside, multiplier and shift make it a fixed-point number of 31 - integer_bits fraction bits.

    Source: TFLite `CalculateInputRadius`, and TFLM's Prepare of LOGISTIC and TANH.
    """
    fraction_bits = 31 - integer_bits
    mantissa, shift = math.frexp(float(np.float32(scale)) * 2**fraction_bits)
    radius = (((1 << integer_bits) - 1) << fraction_bits) >> shift
    return radius, int(mantissa * 2**31), shift


def clipped(values: np.ndarray) -> np.ndarray:
    """int8, saturated."""
    return np.clip(values, -128, 127).astype(np.int8)


def ratio_fits(graph: Graph, op: Op) -> bool:
    """input scale / output scale must be below 2^23"""
    # 255 * 2^23 is the last that TFLM's int32 holds.
    return ratio(graph, op)[1] <= 23


def ratio(graph: Graph, op: Op) -> tuple[int, int]:
    """(multiplier, shift) of input scale / output scale."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    return quantize_multiplier(scale_of(source) / scale_of(target))
