"""Which layers the kernels with two pixels in a word take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgekit import memory, reference
from edgekit.fixed_point import multiply_by_quantized_multiplier
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit import ranges
from edgekit.kernels import requantization, swar
from edgekit.kernels.channels import Channels
from edgekit.macs import executed_macs, macs_of
from edgekit.ops.depthwise_conv_2d import Options as Depthwise
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


@pytest.mark.parametrize("way", [requantization.BY_11, requantization.BY_8, (23, 22), (30, 29)])
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
            assert found is not None
            expected = multiply_by_quantized_multiplier(
                values, np.int64(multiplier), np.int64(-right)) + zero_point
            np.testing.assert_array_equal(by_parts(values, multiplier, found), np.clip(
                expected, -128, 127))


def by_parts(values: np.ndarray, multiplier: int, found) -> np.ndarray:
    """What the assembly computes, with every int32 it holds checked."""
    def fits(value):
        assert np.all((value >= -2**31) & (value < 2**31))
        return value

    bits = {22: 11, 24: 8}.get(found.dropped)
    if bits is None:  # RV32: the high word of a product of a shifted sum
        scaled = fits(fits(values << (32 - found.dropped)) * int(multiplier) >> 32)
    else:
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


def chain(scales, weights, bias, filters, zero_point=-128) -> Graph:
    """A pointwise CONV_2D with a rectifier, then a 3x3 DEPTHWISE_CONV_2D of its channels."""
    first = pointwise(scales, weights, bias, zero_points=(0, zero_point), pixels=4)
    x, w, b, y = first.tensors
    channels = len(weights)
    rows = [replace(x, shape=(1, 4, 4, x.shape[3])), w, b, replace(y, shape=(1, 4, 4, channels)),
            Tensor("f", (1, 3, 3, channels), DType.INT8, Quant((0.01,), (0,)),
                   np.array(filters, np.int8).tobytes()),
            Tensor("z", (1, 4, 4, channels), DType.INT8, Quant((1.0,), (3,)))]
    (conv,) = first.ops
    ops = (replace(conv, options=replace(conv.options, activation=1)),
           Op("DEPTHWISE_CONV_2D", (3, 4), (5,), Depthwise(0, 1, 1, 1, 0)))
    return Graph("g", tuple(rows), ops, (0,), (5,))


def test_a_channel_that_a_rectifier_holds_at_zero_is_not_filtered():
    """Channel 1 has a bias so low that its output is the zero point for every input."""
    filters = np.random.default_rng(1).integers(-90, 90, (3, 3, 3))
    graph = chain([0.01], [[5, -6], [7, 8], [9, -3]], [10, -4000, 20], filters)
    assert [(low, high) for low, high in zip(*ranges.of_tensor(graph, 3))][1] == (-128, -128)
    for name in SETS:
        params = dict(memory.lower(graph, (name,))[1][0].params)
        assert params["constant_channels"] == 1 and params["constants"].values == [1 << 8 | 3]
        assert params["wide_channels"] + params["narrow_channels"] == 2
    sample = np.random.default_rng(0).integers(-128, 128, (1, 4, 4, 2)).astype(np.int8)
    assert np.all(reference.run(graph, (sample,))[5][..., 1] == 3)


def test_live_macs_are_those_of_outputs_that_an_input_can_change():
    graph = chain([0.01], [[5, -6], [7, 8], [9, -3]], [10, -4000, 20], np.full((3, 3, 3), 50))
    counts = macs_of(graph)
    assert counts == [16 * 3 * 2, 16 * 3 * 9] and executed_macs(graph, ()) == sum(counts)
    assert executed_macs(graph, ("rv32",)) == sum(counts) * 2 // 3


def test_intervals_hold_every_value_that_a_network_computes():
    filters = np.random.default_rng(2).integers(-127, 128, (3, 3, 4))
    weights = np.random.default_rng(3).integers(-127, 128, (4, 2))
    graph = chain([0.001, 0.004, 0.002, 0.001], weights, [0, -40_000, 30_000, -90_000], filters, -5)
    low, high = zip(*(ranges.of_tensor(graph, tensor) for tensor in (3, 5)))
    for value in (-128, 127, *np.random.default_rng(4).integers(-128, 128, 40)):
        sample = np.random.default_rng(value % 256).integers(-128, 128, (1, 4, 4, 2))
        sample = np.where(sample > 100, value, sample).astype(np.int8)
        values = reference.run(graph, (sample,))
        for i, tensor in enumerate((3, 5)):
            assert np.all((values[tensor] >= low[i]) & (values[tensor] <= high[i]))
    assert any(np.any(a == b) for a, b in zip(low, high))


def test_a_depthwise_channel_of_a_tiny_scale_takes_the_long_way_alone():
    graph = chain([0.01] * 3, [[5, -6], [7, 8], [9, -3]], [10, 5, 20], np.full((3, 3, 3), 50))
    tensors = list(graph.tensors)
    tensors[4] = replace(tensors[4], quant=Quant((0.01, 1e-7, 0.01), (0,) * 3, 3))
    graph = replace(graph, tensors=tuple(tensors))
    bias = Tensor("c", (3,), DType.INT32, None, np.array([0, 74_996_000, 0], "<i4").tobytes())
    graph = replace(graph, tensors=(*graph.tensors, bias),
                    ops=(graph.ops[0], replace(graph.ops[1], inputs=(3, 4, 6))))
    for name in SETS:
        params = dict(memory.lower(graph, (name,))[1][0].params)
        assert [params[f"{kind}_channels"] for kind in ("constant", "wide", "narrow", "slow")] \
            == [0, 2, 0, 1]
