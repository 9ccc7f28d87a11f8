"""Which layers the kernels with two pixels in a word take."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit import memory
from edgekit.kernels import swar
from test_kernels_dsp import pointwise

SETS = ["rv32"]


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
