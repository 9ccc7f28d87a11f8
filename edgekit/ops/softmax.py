"""SOFTMAX over the last axis: output[c] = exp(beta * input[c]) / sum_i exp(beta * input[i])."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.fixed_point import (multiply_by_quantized_multiplier, quantize_multiplier,
                                 rounding_divide_by_pot, saturating_rounding_doubling_high_mul)
from edgekit.fixed_point_math import exp_on_negative_values, reciprocal
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, Constant, int8_activations, no_macs, slot

CODE, OPTIONS_TYPE, VERSIONS = 25, 9, range(1, 4)
INPUTS = (1, 1)

DIFFERENCE_INTEGER_BITS, SUM_INTEGER_BITS = 5, 12


@dataclass(frozen=True, slots=True)
class Options:
    beta: float = slot(0, "f", 0.0)


def has_an_axis(graph: Graph, op: Op) -> bool:
    """the input must have at least one dimension"""
    return len(graph.inputs_of(op)[0].shape) > 0


def depth_in_range(graph: Graph, op: Op) -> bool | str:
    """the last axis must be below 4096 long"""
    depth = graph.inputs_of(op)[0].shape[-1]
    return depth < 1 << SUM_INTEGER_BITS or f"it is {depth}"


def steps_not_tiny(graph: Graph, op: Op) -> bool | str:
    """beta * input scale must be above 2^-26"""
    return _real_multiplier(graph, op) > 1 or f"it is {_real_multiplier(graph, op) / 2**26:g}"


CONSTRAINTS = (int8_activations, has_an_axis, elementwise.output_in_256ths, depth_in_range,
               steps_not_tiny)

shapes, macs = elementwise.same_shape, no_macs


def _real_multiplier(graph: Graph, op: Op) -> float:
    scale = elementwise.scale_of(graph.inputs_of(op)[0])
    return min(float(np.float32(op.options.beta)) * scale * 2**(31 - DIFFERENCE_INTEGER_BITS),
               2.0**31 - 1)


def exp_table(graph: Graph, op: Op) -> np.ndarray:
    """exp(-d * beta * scale) in Q0.31 for d = 0..255, 0 where TFLM leaves the term out; int64.

    Source: TFLite `PreprocessSoftmaxScaling` and `CalculateInputRadius`.
    """
    multiplier, shift = quantize_multiplier(_real_multiplier(graph, op))
    radius = (((1 << DIFFERENCE_INTEGER_BITS) - 1) << (31 - DIFFERENCE_INTEGER_BITS)) >> shift
    difference = np.arange(min(radius, 255) + 1)
    scaled = multiply_by_quantized_multiplier(-difference, multiplier, shift)
    table = np.zeros(256, np.int64)
    table[:len(difference)] = exp_on_negative_values(scaled, DIFFERENCE_INTEGER_BITS)
    return table


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Softmax` for int8.

    TFLM aborts where the exponentials of a row add up to 512 or more; here such rows are
    computed to the end (every output is then below half a step).
    """
    values = inputs[0].astype(np.int64)
    exp = exp_table(graph, op)[values.max(axis=-1, keepdims=True) - values]
    total = rounding_divide_by_pot(exp, SUM_INTEGER_BITS).sum(axis=-1, keepdims=True)
    scale, bits = reciprocal(total, SUM_INTEGER_BITS)
    share = saturating_rounding_doubling_high_mul(scale, exp)
    result = rounding_divide_by_pot(share, bits + 31 - 8) - 128
    return [np.clip(result, -128, 127).astype(np.int8)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source = graph.inputs_of(op)[0]
    depth = source.shape[-1]
    params = (("rows", source.size // depth), ("depth", depth),
              ("exp_table", Constant.of(exp_table(graph, op).astype(np.int32))))
    # A row is read three times, the last time just before it is written element by element.
    return (Call("softmax", "softmax_s8", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
