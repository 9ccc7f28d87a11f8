"""`tests/fuzz_models.py`: a few graphs in each run, 500 in the CI."""

from __future__ import annotations

import numpy as np
import pytest

import fuzz_models
from conftest import require_module, require_tool
from edgekit import ops, reference
from random_graphs import RECIPES


def test_every_operator_has_a_recipe():
    assert set(RECIPES) == set(ops.kinds())


def test_a_seed_gives_the_same_graphs_again():
    first, second, other = (fuzz_models.draw(10, seed).graphs for seed in (3, 3, 4))
    assert first == second
    assert list(first.values()) != list(other.values())


def test_a_few_random_models_give_the_same_bytes_everywhere():
    require_module("tflite_micro")
    require_tool("gcc")
    report = fuzz_models.run(25, 1000, emulated=0)
    assert report.failures == []


def test_the_fuzzer_sees_a_wrong_element(monkeypatch):
    require_module("tflite_micro")
    report = fuzz_models.draw(5, 1)
    run = reference.run

    def wrong(graph, sample):
        values = run(graph, sample)
        last = graph.ops[-1].outputs[0]
        values[last] = np.array(values[last])
        values[last].flat[-1] = 1 - (values[last].flat[-1] > 0)
        return values

    monkeypatch.setattr(fuzz_models.reference, "run", wrong)
    fuzz_models.compare_with_tflm(report)
    assert len(report.failures) >= 5 and "TFLite Micro gives" in report.failures[0]


@pytest.mark.slow
def test_500_random_models_give_the_same_bytes_everywhere_and_cover_every_operator():
    for module in ("tflite_micro", "unicorn"):
        require_module(module)
    for tool in ("gcc", "arm-none-eabi-gcc"):
        require_tool(tool)
    report = fuzz_models.run(500, 1, emulated=60)
    print("\n".join(report.lines()))
    assert report.failures == []
    assert min(report.used[kind] for kind in ops.kinds()) >= 20
    assert report.varied >= 400
    asked = sum(report.scales.values()) - report.scales["zero weights"]
    assert report.scales["log-uniform"] <= 0.93 * asked
    assert report.emulated == 60
