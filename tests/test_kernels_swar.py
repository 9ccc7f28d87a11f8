"""Which layers the kernels with two pixels in a word take."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit import memory
from edgekit.fixed_point import multiply_by_quantized_multiplier
from edgekit.kernels import swar
from edgekit.kernels.armv6m import requantization
from edgekit.kernels.channels import Channels
from test_kernels_dsp import pointwise

SETS = ["rv32", "armv6m"]


def channels_of(multiplier, right, reach) -> Channels:
    """Channels of no weights, for what is asked of their requantization alone."""
    one = np.ones(1, np.int32)
    return Channels(np.zeros((1, 1), np.int8), 0 * one, multiplier * one, right * one,
                    np.array([reach]))


def kernel_of(graph, name: str) -> str:
    return memory.lower(graph, (name,))[0][0].kernel


@pytest.mark.parametrize("name", SETS)
def test_two_weights_of_minus_128_in_a_row_fall_back_since_their_sum_leaves_int16(name):
    rows = [[1, 2, 3, 4], [5, 6, 7, 8], [-128, 2, 3, -128], [1, -128, -127, 4]]
    assert kernel_of(pointwise([0.001], rows, [0] * 4), name) == f"conv_2d_s8_{name}"
    rows[3][2] = -128  # taps 1 and 2: taken apart between them
    assert kernel_of(pointwise([0.001], rows, [0] * 4), name) == f"conv_2d_s8_{name}"
    rows[3][0] = -128
    assert kernel_of(pointwise([0.001], rows, [0] * 4), name) == "conv_2d_1x1_s8"


def test_sums_of_taps_are_judged_in_the_groups_in_which_they_are_added():
    assert swar.sums_fit(np.array([[127, -128, -128, 127]]), 2)
    assert not swar.sums_fit(np.array([[1, 127, -128, -128]]), 2)
    assert swar.sums_fit(np.array([[100, -100, 55, 0, 255]]), 4)
    assert not swar.sums_fit(np.array([[100, -100, 55, 1, 0]]), 4)


@pytest.mark.parametrize("low", [-128, 127])
@pytest.mark.parametrize("weight", [-127, 127])
def test_two_largest_products_are_taken_apart_exactly(low, weight):
    for high in (-128, 127):
        pair = 2 * weight * (low + (high << 16))
        assert -2**31 <= pair < 2**31 and (pair + 0x8000) >> 16 == 2 * weight * high


@pytest.mark.parametrize("way", [requantization.BY_11, requantization.BY_8])
@pytest.mark.parametrize("right", [1, 5, 9, 13])
def test_a_multiplier_in_parts_is_exact_ties_included(way, right):
    rng = np.random.default_rng(right)
    dropped, bits = way
    limit = (1 << bits) - 1
    for multiplier in (1 << 30, (1 << 31) - 1, *rng.integers(1 << 30, 1 << 31, 6)):
        steps = rng.integers(-300, 300, 20_000)  # near multiples of half a step of the output
        near = (steps << (30 + right)) // multiplier + rng.integers(-2, 3, 20_000)
        values = np.concatenate([np.clip(near, -limit, limit), [-limit, -1, 0, 1, limit],
                                 rng.integers(-limit, limit, 5_000, endpoint=True)])
        for zero_point in (-128, -1, 127):
            found = requantization.proven(channels_of(multiplier, right, limit), zero_point, (way,))
            expected = multiply_by_quantized_multiplier(
                values, np.int64(multiplier), np.int64(-right)) + zero_point
            np.testing.assert_array_equal(by_parts(values, multiplier, found), np.clip(
                expected, -128, 127))


def by_parts(values: np.ndarray, multiplier: int, found) -> np.ndarray:
    """What the assembly computes, with every int32 it holds checked."""
    def fits(value):
        assert np.all((value >= -2**31) & (value < 2**31))
        return value

    bits = {22: 11, 24: 8}[found.dropped]
    scaled = np.zeros_like(values)
    for low in range(0, found.dropped, bits):
        part = multiplier >> low & (1 << bits) - 1
        scaled = fits(fits(values * part) + scaled) >> bits
    scaled = fits(scaled + fits(values * (multiplier >> found.dropped)))
    lowered = fits(scaled - ((values < 0).astype(np.int64) << (31 - found.dropped)))
    return np.clip(fits(lowered + found.rounding[0]) >> found.shift[0], -128, 127)


def test_accumulators_beyond_the_parts_reach_fall_back():
    for reach, dropped in (((1 << 20) - 1, 22), (1 << 20, 24), ((1 << 23) - 1, 24)):
        assert requantization.proven(channels_of(1 << 30, 8, reach), 0).dropped == dropped
    assert requantization.proven(channels_of(1 << 30, 8, 1 << 23), 0) is None
    assert requantization.proven(channels_of(1 << 30, 13, 1 << 10), 127)
    assert requantization.proven(channels_of(1 << 30, 17, 1 << 10), 127) is None
    rows = np.full((2, 256), 100)  # sums within 256 * 100 * 128 of the bias
    for bias, kernel in (((1 << 23) - 3_300_000, "conv_2d_s8_armv6m"),
                         ((1 << 23) - 3_200_000, "conv_2d_1x1_s8")):
        assert kernel_of(pointwise([1e-5], rows, [0, bias]), "armv6m") == kernel
