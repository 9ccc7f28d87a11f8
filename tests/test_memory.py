"""The planner, checked by executing who owns each byte: written without lifetimes on purpose."""

from __future__ import annotations

import random

import numpy as np
import pytest

from cases import load
from edgekit import memory
from edgekit.checks import plan_problems
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.memory import MemoryPlan, Placement
from edgekit.ops.reshape import Options as Reshape
from edgekit.ops.relu import Options as Relu

Q = Quant((1.0,), (0,))


def random_graph(seed: int) -> Graph:
    """RELU and RESHAPE operators reading any earlier tensor, sizes of all kinds."""
    draw = random.Random(seed)
    tensors, ops = [Tensor("in", (1, draw.randint(1, 900)), DType.INT8, Q)], []
    for index in range(draw.randint(1, 14)):
        source = draw.randrange(len(tensors))
        kind = draw.choice(["RELU", "RELU", "RESHAPE"])
        tensors.append(Tensor(f"t{index}", tensors[source].shape, DType.INT8, Q))
        ops.append(Op(kind, (source,), (len(tensors) - 1,),
                      Relu() if kind == "RELU" else Reshape(), 1, index))
    outputs = tuple({len(tensors) - 1, draw.randrange(1, len(tensors))})
    return Graph("random", tuple(tensors), tuple(ops), (0,), outputs)


@pytest.mark.parametrize("seed", range(150))
def test_no_byte_is_overwritten_while_somebody_still_reads_it(seed):
    graph = random_graph(seed)
    plan = memory.plan(graph)
    assert plan_problems(graph, plan) == []
    assert plan.bound <= plan.arena_size


@pytest.mark.parametrize("graph", [g for _, g in load()], ids=[n for n, _ in load()])
def test_every_operator_case_has_a_sound_plan(graph):
    assert plan_problems(graph, memory.plan(graph)) == []


def test_the_checker_finds_an_overlap():
    graph = random_graph(3)
    plan = memory.plan(graph)
    squeezed = MemoryPlan(plan.arena_size, 16, tuple(
        Placement(p.tensor, 0, p.size, p.first, p.last) for p in plan.placements), plan.bound,
        plan.aliases)
    assert plan_problems(graph, squeezed)


def test_the_checker_finds_a_block_outside_the_arena():
    graph = random_graph(5)
    plan = memory.plan(graph)
    small = MemoryPlan(plan.arena_size - 4, 16, plan.placements, plan.bound, plan.aliases)
    assert "outside" in plan_problems(graph, small)[0]


def test_offsets_are_aligned_to_words():
    plan = memory.plan(random_graph(8))
    assert np.all(np.array([p.offset for p in plan.placements]) % 4 == 0)
