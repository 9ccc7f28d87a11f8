"""A part of `tests/fuzz.py` on each run; the whole takes minutes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import require_models, require_tool
from edgekit import memory
from edgekit.reference import run
from fuzz import compile_and_run, fuzz, fuzz_numbers, truncate
from mutants import dense, mutants, outside_share, small_models


def test_mutants_of_small_models_are_refused_or_compute_what_reference_computes():
    require_tool("gcc")
    found = fuzz(small_models(), count=1500, compiled=60, seed=7)
    assert found.failures == []
    assert found.slowest_s < 1
    assert found.outcomes["refused by the reader"] > 500
    assert found.outcomes["compiled and run"] == 60


@pytest.mark.slow
def test_numbers_at_their_limits_are_refused_or_computed_as_reference_computes_them():
    require_tool("gcc")
    found = fuzz_numbers(count=300, compiled=60, seed=7)
    assert found.failures == []
    assert found.outcomes["compiled and run"] == 60


def test_every_truncation_of_the_smallest_models_is_refused_or_a_model():
    bases = small_models()[:3]
    folder = os.environ.get("EDGEKIT_MODELS")
    if folder:
        bases.append((Path(folder) / "hello_world_int8.tflite").read_bytes())
    found = truncate(bases)
    assert found.failures == []
    assert found.outcomes["refused by the reader"] > 0.9 * sum(map(len, bases))


def test_mutants_of_a_public_model_are_refused_or_models():
    found = fuzz([(require_models() / "hello_world_int8.tflite").read_bytes()], 300, 0, seed=3)
    assert found.failures == []


def test_most_changed_bytes_of_mutants_are_outside_the_constants():
    bases = small_models()
    assert outside_share(bases, list(mutants(bases, 1500, seed=7))) >= 0.8


def test_mutants_are_the_same_for_the_same_seed():
    bases = small_models()[:5]
    assert list(mutants(bases, 50, seed=1)) == list(mutants(bases, 50, seed=1))
    assert list(mutants(bases, 50, seed=1)) != list(mutants(bases, 50, seed=2))


def test_the_fuzzer_sees_a_write_outside_the_arena(tmp_path):
    require_tool("gcc")
    graph = dense()
    plan = memory.plan(graph)
    (failure,) = compile_and_run([("squeezed", graph, replace(plan, arena_size=4))], tmp_path)
    assert "AddressSanitizer: global-buffer-overflow" in failure


def test_the_fuzzer_sees_other_numbers(tmp_path, monkeypatch):
    require_tool("gcc")
    graph = dense()
    weights = graph.tensors[1]
    other = replace(weights, data=bytes(len(weights.data)))
    changed = replace(graph, tensors=(graph.tensors[0], other, *graph.tensors[2:]))
    monkeypatch.setattr("fuzz.reference.run", lambda _, sample: run(changed, sample))
    (failure,) = compile_and_run([("other", graph, memory.plan(graph))], tmp_path)
    assert "differ from reference()" in failure


