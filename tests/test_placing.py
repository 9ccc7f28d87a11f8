"""Branch and bound against every way of lying, one after the other; the plan as text."""

from __future__ import annotations

import itertools
import random

import pytest

from edgekit import arena_text, placing
from edgekit.placing import Problem, solve


def random_problem(seed: int) -> Problem:
    """Up to five blocks, most pairs apart, some one over the other by a lead."""
    draw = random.Random(seed)
    sizes = tuple(4 * draw.randint(1, 30) for _ in range(draw.randint(2, 5)))
    ways = {}
    for i, j in itertools.combinations(range(len(sizes)), 2):
        kind = draw.choice(("apart", "apart", "anywhere", "lead", "exact"))
        lead = 4 * draw.randint(0, sizes[i] // 4)
        if kind != "anywhere":
            ways[i, j] = {"apart": ((sizes[i], None), (None, -sizes[j])),
                          "lead": ((lead, None), (None, -sizes[j])),
                          "exact": ((lead, lead), (sizes[i], None), (None, -sizes[j]))}[kind]
    return Problem(sizes, ways)


def smallest(problem: Problem) -> int:
    """The least top over every choice of a way for every pair, by relaxing until nothing moves."""
    tops = []
    for chosen in itertools.product(*problem.ways.values()):
        offsets = [0] * len(problem.sizes)
        for _ in range(len(offsets) + 1):
            before = list(offsets)
            for (i, j), (low, high) in zip(problem.ways, chosen):
                if low is not None:
                    offsets[j] = max(offsets[j], offsets[i] + low)
                if high is not None:
                    offsets[i] = max(offsets[i], offsets[j] - high)
            if offsets == before:
                tops.append(problem.top(offsets))
                break
    return min(tops)


def problem_is_met(problem: Problem, offsets) -> bool:
    return all(any((low is None or offsets[j] - offsets[i] >= low)
                   and (high is None or offsets[j] - offsets[i] <= high) for low, high in ways)
               for (i, j), ways in problem.ways.items())


@pytest.mark.parametrize("seed", range(60))
def test_no_way_of_lying_is_smaller_than_what_the_search_proves(seed):
    problem = random_problem(seed)
    offsets, is_optimal = solve(problem, [range(len(problem.sizes))], 0)
    assert is_optimal and problem.top(offsets) == smallest(problem)
    assert problem_is_met(problem, offsets)


def test_a_search_that_gives_up_says_so_and_keeps_the_best(monkeypatch):
    monkeypatch.setattr(placing, "LIMIT", 1)
    hard = next(p for p in map(random_problem, range(99)) if len(p.ways) > 5)
    offsets, is_optimal = solve(hard, [range(len(hard.sizes))], 0)
    assert not is_optimal and problem_is_met(hard, offsets)


PLAN = [{"tensor": 0, "offset": 0, "bytes": 64, "first": -1, "last": 0, "name": "image"},
        {"tensor": -1, "offset": 64, "bytes": 64, "first": 0, "last": 0, "name": "scratch"},
        {"tensor": 1, "offset": 0, "bytes": 32, "first": 0, "last": 1, "name": "y;fused"}]


def test_the_plan_over_time_shows_who_lies_where_and_where_two_do():
    lines = arena_text.over_time(PLAN, 128)
    assert len(lines) == arena_text.BANDS
    assert lines[0].endswith("| # |") and lines[-1] == "        0 |a*b|"
    assert lines[10].endswith("|aa |")
    assert arena_text.rows(PLAN)[2] == ("b", 0, 32, "0..1", "y")


def test_a_plan_says_what_is_proven_of_it():
    assert arena_text.verdict(8512, 8512) == "arena 8,512 bytes, proven smallest"
    assert "no plan is below 8,000: at most 20.0%" in arena_text.verdict(10_000, 8000)
