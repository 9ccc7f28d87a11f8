"""Which layers the DSP kernels take, and that their short requantization is the defined one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cases import load
from edgekit import kernels, memory, reference
from edgekit.checks import plan_problems
from edgekit.errors import BadBoard
from edgekit.fixed_point import multiply_by_quantized_multiplier
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.kernels import channels, patches
from edgekit.kernels.dsp import conv_2d
from edgekit.memory import MemoryPlan
from edgekit.ops.conv_2d import Options

SET = ("dsp",)


def pointwise(scales, weights, bias, *, zero_points=(0, 0), pixels=5, output_scale=1.0) -> Graph:
    """CONV_2D 1x1 of int8 with input scale 1."""
    weights = np.array(weights, np.int8)
    outputs, depth = weights.shape
    tensors = (
        Tensor("x", (1, 1, pixels, depth), DType.INT8, Quant((1.0,), zero_points[:1])),
        Tensor("w", (outputs, 1, 1, depth), DType.INT8,
               Quant(tuple(float(np.float32(s)) for s in scales), (0,) * len(scales),
                     0 if len(scales) > 1 else None), weights.tobytes()),
        Tensor("b", (outputs,), DType.INT32, None, np.array(bias, "<i4").tobytes()),
        Tensor("y", (1, 1, pixels, outputs), DType.INT8, Quant((output_scale,), zero_points[1:])))
    return Graph("g", tensors, (Op("CONV_2D", (0, 1, 2), (3,), Options(1, 1, 1)),), (0,), (3,))


def kernel_of(graph: Graph) -> str:
    return memory.lower(graph, SET)[0][0].kernel


def short(accumulator, multiplier, right, zero_point):
    """What the kernels compute, in int64, with every int32 they hold checked."""
    rounding = ((2 * zero_point + 1) << (right - 1)) + (accumulator >> 63)
    doubled = 2 * accumulator
    scaled = ((doubled * multiplier + (1 << 31)) >> 32) + rounding
    for value in (doubled, rounding, scaled):
        assert np.all((value >= -(2**31)) & (value < 2**31))
    return np.clip(scaled >> right, -128, 127)


@pytest.mark.parametrize("right", [1, 2, 7, 15, 21])
def test_the_short_requantization_is_the_defined_one_ties_included(right):
    rng = np.random.default_rng(right)
    limit = (1 << 30) - 1
    values = rng.integers(-limit, limit, 60_000, endpoint=True)
    # Ties of both roundings: near multiples of half a step of the output.
    steps = rng.integers(-300, 300, 60_000)
    multiplier = rng.integers(1 << 30, (1 << 31) - 1, 120_000, endpoint=True)
    multiplier[::5] = 1 << 30
    near = np.clip((steps << (30 + right)) // multiplier[60_000:] + rng.integers(-2, 3, 60_000),
                   -limit, limit)
    accumulator = np.concatenate([values, near])
    for zero_point in (-128, -1, 0, 127):
        scaled = multiply_by_quantized_multiplier(accumulator, multiplier, -right)
        expected = np.clip(scaled + zero_point, -128, 127)
        np.testing.assert_array_equal(short(accumulator, multiplier, right, zero_point), expected)


def test_a_shift_of_zero_or_a_sum_beyond_a_quarter_of_int32_falls_back():
    rows = [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert kernel_of(pointwise([0.4], rows, [0, 0])) == "conv_2d_s8_dsp"
    assert kernel_of(pointwise([0.6], rows, [0, 0])) == "conv_2d_1x1_s8"  # shift 0
    many = np.full((2, 1024), 127)  # sums within 1024 * 127 * 128 of the bias: outputs differ
    assert kernel_of(pointwise([1e-7], many, [(1 << 30) - 17_000_000, 0])) == "conv_2d_s8_dsp"
    assert kernel_of(pointwise([1e-7], many, [(1 << 30) - 16_000_000, 0])) == "conv_2d_1x1_s8"


def test_a_layer_of_few_outputs_or_pixels_or_too_large_a_patch_falls_back():
    rows = [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert kernel_of(pointwise([0.4], rows[:1], [0])) == "conv_2d_1x1_s8"
    assert kernel_of(pointwise([0.4], rows, [0, 0], pixels=3)) == "conv_2d_1x1_s8"
    wide = np.ones((2, patches.MAX_SCRATCH // 8 + 1), np.int8)
    assert kernel_of(pointwise([1e-6], wide, [0, 0])) == "conv_2d_1x1_s8"
    assert kernel_of(pointwise([1e-6], wide[:, 1:], [0, 0])) == "conv_2d_s8_dsp"


def test_a_channel_that_no_input_changes_is_folded_and_does_not_spoil_the_layer():
    """A bias far beyond the limit saturates one channel; its neighbour is an ordinary one."""
    graph = pointwise([1.0, 0.4, 1e-12], [[0] * 4, [5, 6, 7, 8], [1] * 4], [2**31 - 1, 3, 77],
                      zero_points=(3, -7))
    (op,) = graph.ops
    found = channels.proven(graph, op, graph.tensors[1].array.reshape(3, -1), 0)
    assert not found.weights[0].any() and not found.weights[2].any() and found.weights[1].any()
    sample = np.random.default_rng(0).integers(-128, 128, (1, 1, 5, 4)).astype(np.int8)
    expected = reference.run(graph, (sample,))[3].reshape(5, 3)
    accumulator = sample.reshape(5, 4).astype(np.int64) @ found.weights.T.astype(np.int64) + found.bias
    for i in range(3):
        np.testing.assert_array_equal(
            short(accumulator[:, i], int(found.multiplier[i]), int(found.right_shift[i]), -7),
            expected[:, i])


def test_every_tap_of_a_patch_is_expanded_once():
    for rows, run in ((1, 1), (3, 9), (10, 4), (2, 7), (5, 3)):
        order = conv_2d.tap_order(rows, run)
        assert order.size % 4 == 0 and order.size - rows * run < 4
        assert sorted(order[order >= 0]) == list(range(rows * run))


def test_a_board_that_names_unknown_kernels_is_refused():
    (_, graph), *_ = load()
    with pytest.raises(BadBoard, match="no kernels named 'vector'"):
        kernels.lower(graph, graph.ops[0], ("vector",))


def scratch_case():
    graph = pointwise([0.4], [[1, 2, 3, 4], [5, 6, 7, 8]], [0, 0])
    calls = memory.lower(graph, SET)
    return graph, calls, memory.plan(graph, calls)


def test_the_plan_has_room_for_a_kernels_scratch_and_the_checker_misses_it_if_not():
    graph, calls, plan = scratch_case()
    assert calls[0][0].scratch > 0 and plan_problems(graph, plan, calls) == []
    without = replace(plan, placements=tuple(p for p in plan.placements if p.tensor >= 0))
    assert "asks for" in plan_problems(graph, without, calls)[0]


def test_the_checker_finds_scratch_that_lies_on_a_tensor():
    graph, calls, plan = scratch_case()
    for tensor in (0, 3):
        there = next(p.offset for p in plan.placements if p.tensor == tensor)
        moved = tuple(replace(p, offset=there) if p.tensor < 0 else p for p in plan.placements)
        overlapping = MemoryPlan(plan.arena_size + 64, 16, moved, plan.bound, plan.aliases)
        assert plan_problems(graph, overlapping, calls)


def winograd_layer(height: int, width: int) -> Graph:
    (graph,) = (g for name, g in load() if "3x3 of 16 channels" in name)
    x, w, b, y = graph.tensors
    return replace(graph, tensors=(replace(x, shape=(1, height, width, 16)), w, b,
                                   replace(y, shape=(1, height, width, 8))))


def test_winograd_is_chosen_by_what_its_flash_saves():
    kernels_of = {(pixels, optimize): memory.lower(graph, SET, optimize)[0][0].kernel
                  for pixels, graph in ((64, winograd_layer(8, 8)), (256, winograd_layer(16, 16)))
                  for optimize in ("size", "balanced", "speed")}
    by_winograd = {key for key, kernel in kernels_of.items()
                   if kernel == "conv_2d_winograd_s8_dsp"}
    assert by_winograd == {(64, "speed"), (256, "balanced"), (256, "speed")}
    for height, width in ((7, 8), (8, 10)):  # not whole tiles
        assert memory.lower(winograd_layer(height, width), SET, "speed")[0][0].kernel \
            == "conv_2d_s8_dsp"


def test_channels_that_are_constants_take_no_weights():
    (graph,) = (g for name, g in load() if "some outputs are constants" in name)
    params = dict(memory.lower(graph, SET)[0][0].params)
    assert params["tiles"] == 2 and len(params["weights"].values) == 2 * (2 + 2 * 2 + 4)
    (graph,) = (g for name, g in load() if "every output is a constant" in name)
    params = dict(memory.lower(graph, SET)[0][0].params)
    assert params["tiles"] == 0 and params["weights"] is None and params["constants"] is not None
