"""HARD_SWISH: output = input * min(max(input + 3, 0), 6) / 6."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import quantize_multiplier, rounding_divide_by_pot
from edgekit.graph import Graph, Op
from edgekit.ops import elementwise
from edgekit.ops.base import Call, NoOptions, int8_activations, no_macs

CODE, OPTIONS_TYPE, VERSIONS = 117, 91, range(1, 2)
INPUTS = (1, 1)
Options = NoOptions


def shifts_in_range(graph: Graph, op: Op) -> bool | str:
    """the input's scale must be between 2^-22 and 2^23, and between 2^-9 and 2^7 output scales"""
    # TFLM's arithmetic has 16 bits: beyond, its shifts are undefined.
    (_, output), (_, reluish) = _multipliers(graph, op)
    return -15 <= output <= 0 and -15 <= reluish <= 30


CONSTRAINTS = (int8_activations, shifts_in_range)

shapes, macs = elementwise.same_shape, no_macs


def _multipliers(graph: Graph, op: Op) -> tuple[tuple[int, int], tuple[int, int]]:
    """(16-bit multiplier, shift) to the output's scale, and to the one where 3 is 2^15."""
    source, target = (elementwise.scale_of(tensor) for tensor in
                      (graph.inputs_of(op)[0], graph.outputs_of(op)[0]))
    reals = (source / 128 / target, source / 128 / float(np.float32(3 / 32768)))
    return tuple((_to_16_bits(multiplier), shift)
                 for multiplier, shift in map(quantize_multiplier, reals))


def _to_16_bits(multiplier: int) -> int:
    """Source: TFLite `DownScaleInt32ToInt16Multiplier`."""
    return min((multiplier + (1 << 15)) >> 16, 32767)


def _rounding_high_mul(a: np.ndarray, b: int) -> np.ndarray:
    """The high 16 bits of 2*a*b, rounded: never both are -2^15 here."""
    return (a * b + (1 << 14)) >> 15


def _saturating_shift(value: np.ndarray, left: int) -> np.ndarray:
    return np.clip(value << left, -32768, 32767)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::HardSwish` and `HardSwishPrepare`."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    (output_multiplier, output_shift), (multiplier, shift) = _multipliers(graph, op)
    value = (inputs[0].astype(np.int64) - source.zero_point) << 7
    scaled = _rounding_high_mul(value, output_multiplier)
    # The last bit of a left shift comes after the multiplication: only there may it saturate.
    gate = _saturating_shift(value, shift - 1) if shift > 0 else value
    gate = _rounding_high_mul(gate, multiplier)
    if shift > 0:
        gate = _saturating_shift(gate, 1)
    gate = (rounding_divide_by_pot(gate, max(-shift, 0)) + (1 << 15)) >> 1
    product = gate * scaled
    product = np.sign(product) * (np.abs(product) >> 15)  # rounds towards 0
    return [elementwise.clipped(rounding_divide_by_pot(product, -output_shift)
                                + target.zero_point)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    return elementwise.lookup(graph, op, reference)
