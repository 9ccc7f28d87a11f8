"""Outputs over inputs: how far the kernels' order allows it, run in place at just that distance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cases import load, samples
from conftest import require_models, require_tool
from edgekit import kernels, memory, reference
from edgekit.checks import plan_problems
from edgekit.emulators import native
from edgekit.kernel_order import keeps_its_input
from edgekit.memory import MemoryPlan, Placement
from edgekit.model import compile_plan, load_model
from edgekit.runtimes import aot

SETS = ((), *((name,) for name in kernels.known()))


def overlapping() -> list[tuple[str, object, tuple, object]]:
    """(case, graph, its call, Over) of every kernel that lets its output cover an input."""
    found = {}
    for sets in SETS:
        for case, graph in load():
            for call in memory.lower(graph, sets)[0]:
                for over in call.over:
                    found[case, call.kernel, over.input] = (f"{case} {call.kernel}", graph, call,
                                                            over)
    return list(found.values())


CASES = overlapping()


def at_distance(graph, call, over, distance: int) -> MemoryPlan:
    """The plan with the output `distance` bytes before the input, all else far behind."""
    output = call.outputs[0]
    offsets = {output: max(0, -distance), over.input: max(0, distance)}
    end = 2 * (max(t.nbytes for t in graph.tensors) + abs(distance)) // 16 * 16 + 16
    for tensor in {*graph.inputs, *graph.outputs} - set(offsets):
        offsets[tensor], end = end, end + graph.tensors[tensor].nbytes // 16 * 16 + 16
    offsets[-1], end = end, end + call.scratch // 16 * 16 + 16
    sizes = {tensor: graph.tensors[tensor].nbytes if tensor >= 0 else call.scratch
             for tensor in offsets}
    return MemoryPlan(end, 16, tuple(Placement(tensor, offset, sizes[tensor], -1, 1)
                                     for tensor, offset in offsets.items()), 0)


def lead_of(over) -> int:
    return -(-over.lead // 4) * 4


def test_the_checker_takes_every_declared_distance_and_a_byte_less_only_where_it_is_none():
    for name, graph, call, over in CASES:
        plan = at_distance(graph, call, over, lead_of(over))
        assert plan_problems(graph, plan, [(call,)]) == [], name
        assert keeps_its_input(graph, call, over.input, over.lead), name
        if over.exact and graph.tensors[over.input].shape[3] > 4:  # channels land on others
            assert not keeps_its_input(graph, call, over.input, over.lead + 1), name
        elif not over.exact and over.lead:
            assert not keeps_its_input(graph, call, over.input, over.lead - 1), name


def in_place(cases, distances, folder):
    """(case, whether every output is the reference's) with each output so far before its input."""
    codes = [aot.generate(graph, at_distance(graph, call, over, distance), f"case_{i}", "0" * 64,
                          "any", [(call,)])
             for i, ((_, graph, call, over), distance) in enumerate(zip(cases, distances))]
    library = native.build_library(codes, folder)
    for (name, graph, *_), code in zip(cases, codes, strict=True):
        link, right = native.NativeLink(code, library), True
        for sample in samples(graph):
            link.load(tuple(value.tobytes() for value in sample))
            values = reference.run(graph, sample)
            right &= link.infer().outputs == tuple(values[i].tobytes() for i in graph.outputs)
        yield name, right


def test_kernels_in_place_at_the_declared_distance_compute_the_reference_and_closer_do_not(tmp_path):
    if not native.available():
        require_tool("cc")
    by_kernel: dict[str, list] = {}
    for case in CASES:
        by_kernel.setdefault(case[2].kernel, []).append(case)
    # Those that keep most apart are those with something to lose.
    cases = [case for found in by_kernel.values()
             for case in sorted(found, key=lambda case: -case[3].lead)[:4]]
    for name, right in in_place(cases, [lead_of(case[3]) for case in cases], tmp_path / "right"):
        assert right, name
    far = [case for case in cases if case[3].lead >= 64 and "constant" not in case[0]]
    assert len({case[2].kernel for case in far}) > 3
    for name, right in in_place(far, [lead_of(case[3]) - 32 for case in far], tmp_path / "wrong"):
        assert not right, name


def test_kernels_of_every_kind_are_among_them():
    used = {call.kernel for _, _, call, _ in CASES}
    assert {"add_s8", "add_s8_dsp", "mul_s8", "lookup_s8", "softmax_s8", "conv_2d_s8",
            "conv_2d_1x1_s8", "conv_2d_s8_dsp", "conv_2d_winograd_s8_dsp", "depthwise_conv_2d_s8",
            "depthwise_conv_2d_3x3_s8_dsp", "average_pool_2d_s8", "max_pool_2d_s8"} <= used


def test_an_overlap_nobody_declared_is_found():
    name, graph, call, over = CASES[0]
    plan = at_distance(graph, call, over, lead_of(over))
    unknown = replace(call, kernel="another_kernel")
    assert "overwritten" in plan_problems(graph, plan, [(unknown,)])[0]


@pytest.mark.parametrize("name, arena", [("kws_ref_model", 9500), ("vww_96_int8", 40_000),
                                         ("pretrainedResnet_quant", 38_000), ("ad01_int8", 2100)])
def test_arenas_of_public_models_are_proven_smallest(name, arena):
    _, _, plan = compile_plan(load_model(require_models() / f"{name}.tflite"), ("dsp",))
    assert plan.arena_size == plan.bound <= arena
