"""exp, reciprocal, logistic, tanh and 1 / sqrt in fixed point: what SOFTMAX, LOGISTIC, TANH and RSQRT are of.

"Q5.26" is an int32 with 5 integer bits, so that 1.0 is 2**26; "Q0.31" holds [-1, 1). All
functions take and give int64 arrays that hold int32 values.

Source: gemmlowp `fixedpoint/fixedpoint.h` (exp_on_negative_values, one_over_one_plus_x_for_x_
in_0_1, logistic, tanh) and TensorFlow Lite Micro `kernels/internal/common.h` (GetReciprocal).
"""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import (INT32_MAX, INT32_MIN, rounding_divide_by_pot,
                                 saturating_rounding_doubling_high_mul as multiply)

# exp(-2**k) in Q0.31 for k = -2..4: the factors of exp's whole quarters.
_EXP_OF_POWERS = ((-2, 1672461947), (-1, 1302514674), (0, 790015084), (1, 290630308),
                  (2, 39332535), (3, 720401), (4, 242))
_EXP_OF_MINUS_EIGHTH, _ONE_THIRD = 1895147668, 715827883
_48_OVER_17, _MINUS_32_OVER_17 = 1515870810, -1010580540  # Q2.29


def saturating_shift(value: np.ndarray, left: int) -> np.ndarray:
    """value * 2**left, clamped to int32."""
    return np.clip(np.asarray(value, np.int64) << left, INT32_MIN, INT32_MAX)


def _exp_of_minus_quarter_to_zero(a: np.ndarray) -> np.ndarray:
    """exp(a) in Q0.31 for a in [-1/4, 0), Q0.31: Taylor's series around -1/8, four terms."""
    x = a + (1 << 28)
    x2 = multiply(x, x)
    x3, x4 = multiply(x2, x), multiply(x2, x2)
    higher = multiply(rounding_divide_by_pot(x4, 2) + x3, _ONE_THIRD) + x2
    series = x + rounding_divide_by_pot(higher, 1)
    return _EXP_OF_MINUS_EIGHTH + multiply(_EXP_OF_MINUS_EIGHTH, series)


def exp_on_negative_values(a: np.ndarray, integer_bits: int) -> np.ndarray:
    """exp(a) in Q0.31 for a <= 0 with `integer_bits` (at most 5) integer bits."""
    a = np.asarray(a, np.int64)
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    below_quarter = (a & (quarter - 1)) - quarter
    result = _exp_of_minus_quarter_to_zero(saturating_shift(below_quarter, integer_bits))
    quarters = below_quarter - a
    for power, factor in _EXP_OF_POWERS:
        if power < integer_bits:
            used = quarters & (1 << (fraction_bits + power))
            result = np.where(used, multiply(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _two_over_one_plus(x: np.ndarray) -> np.ndarray:
    """2 / (1 + x) in Q2.29 for x in [0, 1), Q0.31: three Newton-Raphson steps."""
    half_denominator = (np.asarray(x, np.int64) + INT32_MAX + 1) >> 1
    estimate = _48_OVER_17 + multiply(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        error = (1 << 29) - multiply(half_denominator, estimate)
        estimate = estimate + saturating_shift(multiply(estimate, error), 2)
    return estimate


def one_over_one_plus(x: np.ndarray) -> np.ndarray:
    """1 / (1 + x) in Q0.31 for x in [0, 1), Q0.31."""
    return saturating_shift(_two_over_one_plus(x), 1)


def reciprocal(x: np.ndarray, integer_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(r, bits): 1/x = r * 2**-bits, r in Q0.31, for x > 0 with `integer_bits` integer bits."""
    x = np.asarray(x, np.int64)
    bit_length = np.frexp(x.astype(np.float64))[1].astype(np.int64)  # exact: x < 2**53
    headroom = 32 - bit_length
    return one_over_one_plus((x << headroom) - (1 << 31)), integer_bits - headroom


def logistic(a: np.ndarray, integer_bits: int) -> np.ndarray:
    """1 / (1 + exp(-a)) in Q0.31 for a with `integer_bits` integer bits."""
    a = np.asarray(a, np.int64)
    positive = one_over_one_plus(exp_on_negative_values(-np.abs(a), integer_bits))
    return np.where(a == 0, 1 << 30, np.where(a > 0, positive, INT32_MAX - positive))


def tanh(a: np.ndarray, integer_bits: int) -> np.ndarray:
    """tanh(a) in Q0.31 for a with `integer_bits` integer bits: (1 - x) / (1 + x), x = exp(-2|a|)."""
    a = np.asarray(a, np.int64)
    x = exp_on_negative_values(-np.abs(a), integer_bits + 1)
    magnitude = saturating_shift(_two_over_one_plus(x) - (1 << 29), 2)
    return np.where(a == 0, 0, np.where(a > 0, magnitude, -magnitude))


def inverse_square_root(value: int) -> tuple[int, int]:
    """(multiplier, shift) of 1 / sqrt(value), a positive shift to the left; value at least 1.

    Source: TFLite `GetInvSqrtQuantizedMultiplierExp`: five Newton-Raphson steps in Q3.28.
    """
    if value <= 1:
        return INT32_MAX, 0
    right = 11
    while value >= 1 << 29:
        value, right = value // 4, right + 1
    pairs = (32 - value.bit_length() - 1) // 2 - 1
    right, value = right - pairs, value << 2 * pairs
    half = int(rounding_divide_by_pot(value >> 1, 1))
    x = 1 << 28
    for _ in range(5):
        cube = saturating_shift(multiply(multiply(x, x), x), 6)
        x = saturating_shift(multiply((1 << 28) + (1 << 27), x) - multiply(half, cube), 3)
    root = int(multiply(x, 1518500250))  # sqrt(2) / 2 in Q0.31
    return (root << -right, 0) if right < 0 else (root, -right)
