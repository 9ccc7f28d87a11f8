"""The examples motion and digits: their data, and each from training to validated firmware."""

import importlib
import sys

import numpy as np
import pytest
from conftest import require_module
from keras_nets import keras

from edgekit import pipeline
from edgekit.compress.methods import prune
from edgekit.compress.quantize import quantize
from edgekit.data import make
from edgekit.resources import folder

OWN = ("data", "model", "train")


@pytest.fixture
def example(monkeypatch):
    """open(name): the example's modules data, model and train, as when run from its folder."""
    def open_(name):
        monkeypatch.syspath_prepend(str(folder("examples") / name))
        return [importlib.import_module(module) for module in OWN]

    for module in OWN:
        monkeypatch.delitem(sys.modules, module, raising=False)
    yield open_
    for module in OWN:
        sys.modules.pop(module, None)


@pytest.fixture
def recordings(monkeypatch, tmp_path):
    """A package aeon of eight made-up recordings for each part, each class louder than the last."""
    data = tmp_path / "aeon/datasets/data/BasicMotions"
    data.mkdir(parents=True)
    (tmp_path / "aeon/__init__.py").write_text("raise ImportError('it must not be imported')\n")
    random = np.random.default_rng(0)
    for part in ("TRAIN", "TEST"):
        lines = ["#made up", "@problemName BasicMotions", "@data"]
        for name, loud in (("Standing", .2), ("Walking", 2), ("Running", 8), ("Badminton", 30)) * 2:
            axes = [",".join(f"{v:.6f}" for v in random.normal(0, loud, 100)) for _ in range(6)]
            lines.append(":".join((*axes, name)))
        (data / f"BasicMotions_{part}.ts").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in [name for name in sys.modules if name.split(".")[0] == "aeon"]:
        monkeypatch.delitem(sys.modules, module)


def test_motion_cuts_recordings_into_windows(example, recordings):
    data = example("motion")[0]
    x, y = data.train()
    assert x.shape == (48, 50, 6) and y.tolist() == [2] * 6 + [3] * 6 + [1] * 6 + [0] * 6 + (
        [2] * 6 + [3] * 6 + [1] * 6 + [0] * 6)
    assert np.array_equal(x[0, 10:], x[1, :40])  # a second later
    spread = [x[y == label].std() for label in (2, 3, 1, 0)]
    assert spread == sorted(spread) and x.dtype == np.float32
    moved = data.shifted(x, np.random.default_rng(0))
    assert moved.shape == x.shape and not np.array_equal(moved, x)


def test_motion_reads_the_real_recordings_where_aeon_is_installed(example):
    if importlib.util.find_spec("aeon") is None:
        pytest.skip("the Python package aeon is not there")
    data = example("motion")[0]
    for x, y in (data.train(), data.test()):
        assert x.shape == (240, 50, 6) and np.bincount(y).tolist() == [60] * 4
        assert np.percentile(np.abs(x), 90) < 1 < np.abs(x).max()


def test_digits_are_split_and_all_there(example):
    require_module("sklearn")
    data = example("digits")[0]
    (x, y), (x_test, y_test) = data.train(), data.test()
    assert x.shape == (1438, 8, 8, 1) and x_test.shape == (359, 8, 8, 1)
    assert (x.min(), x.max(), x.dtype) == (0, 1, np.float32)
    assert set(y) == set(y_test) == set(range(10)) and np.bincount(y_test).min() > 20


@pytest.mark.parametrize("name, package", [("motion", "aeon"), ("digits", "scikit-learn")])
def test_an_example_without_its_package_says_what_to_install(example, monkeypatch, name, package):
    data = example(name)[0]
    monkeypatch.setattr(data.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=f"pip install .*{package}"):
        data.test()


@pytest.mark.slow
@pytest.mark.parametrize("name, accuracy", [("motion", 0.7), ("digits", 0.6)])
def test_an_example_goes_from_training_to_validated_firmware(example, recordings, tmp_path, name,
                                                             accuracy):
    keras()
    if name == "digits":
        require_module("sklearn")
    data, _, train = example(name)
    samples, test = make(*data.train()), make(*data.test())
    trained = train.train(epochs=3 if name == "digits" else 15)
    small, report = prune(trained, rate=0.5, data=samples, validation=test, epochs=3,
                          batch_size=32, learning_rate=5e-3)
    assert report.parameters_after < 0.4 * report.parameters_before
    assert report.steps[-1].accuracy > accuracy
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(quantize(small, samples))
    written = pipeline.generate(path, "nucleo_l4r5zi", tmp_path / "firmware", runtime="aot")
    assert any(entry["path"] == f"model/{name}.h" for entry in written["files"])
    result = pipeline.validate(path, "nucleo_l4r5zi", target="emulator", engine="reference",
                               runtime="aot", count=5)
    assert result["ok"] and result["mismatches"] == 0 and result["samples"] == 5
