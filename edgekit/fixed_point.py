"""Requantization: the one definition of the integer arithmetic that every kernel follows.

Source: TensorFlow Lite Micro, `kernels/internal/common.h` (MultiplyByQuantizedMultiplier
with double rounding) and `quantization_util.cc` (QuantizeMultiplier); gemmlowp
`fixedpoint.h` for the two rounding steps.
"""

from __future__ import annotations

import math

import numpy as np

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def wrapped(value) -> np.ndarray:
    """The sum as int32 arithmetic gives it; int64 array.

    Only a scale ratio far beyond any real model's gets here: TFLM's int32 addition of a zero
    point is undefined there, and wraps on every machine it runs on.
    """
    return np.asarray(value, np.int64).astype(np.int32).astype(np.int64)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) with real ~= multiplier * 2**(shift - 31), multiplier in Q31.

    A positive shift is to the left. Values too small for 31 bits of right shift are (0, 0).
    """
    if real == 0.0:
        return 0, 0
    mantissa, shift = math.frexp(real)
    # TFLite rounds half away from zero; the mantissa of a positive scale is in [0.5, 1).
    multiplier = int(math.floor(abs(mantissa) * 2**31 + 0.5)) * (1 if mantissa > 0 else -1)
    if abs(multiplier) == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def saturating_rounding_doubling_high_mul(a, b) -> np.ndarray:
    """The high 32 bits of 2*a*b, rounded half up in magnitude as gemmlowp does; int32 range."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    # gemmlowp's nudge by the sign and truncation is this floor: both round to nearest, and
    # agree on ties. Only INT32_MIN * INT32_MIN saturates.
    return np.minimum((product + (1 << 30)) >> 31, INT32_MAX)


def rounding_divide_by_pot(value, exponent) -> np.ndarray:
    """value / 2**exponent, rounded half away from zero."""
    value, exponent = np.asarray(value, np.int64), np.asarray(exponent, np.int64)
    half = (np.int64(1) << exponent) >> 1
    # A half goes away from zero: below zero it takes one more to round up.
    nudge = half - ((value < 0) & (half > 0))
    return (value + nudge) >> exponent


def multiply_by_quantized_multiplier(value, multiplier, shift) -> np.ndarray:
    """value * multiplier * 2**(shift - 31) with TFLM's two roundings; int64 array.

    `value` is an int32 accumulator; `multiplier` and `shift` broadcast over its last axis.
    """
    shift = np.asarray(shift, np.int64)
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    # The C code shifts in int32: wrap the way the machine does.
    shifted = (np.asarray(value, np.int64) << left).astype(np.int32)
    return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(shifted, multiplier), right)


def activation_range(activation: int, scale: float, zero_point: int, low: int = -128,
                     high: int = 127) -> tuple[int, int]:
    """(activation_min, activation_max) of a fused activation in the output's quantized units.

    Source: TFLite `CalculateActivationRangeQuantized`; activation is the schema's enum
    (0 none, 1 RELU, 2 RELU_N1_TO_1, 3 RELU6).
    """
    def quantized(real: float) -> int:
        ratio = np.float32(real) / np.float32(scale)
        return zero_point + int(math.floor(abs(float(ratio)) + 0.5) * (1 if ratio >= 0 else -1))

    if activation == 1:
        low = max(low, quantized(0.0))
    elif activation == 2:
        low, high = max(low, quantized(-1.0)), min(high, quantized(1.0))
    elif activation == 3:
        low, high = max(low, quantized(0.0)), min(high, quantized(6.0))
    return low, high
