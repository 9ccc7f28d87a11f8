"""1,797 handwritten digits of 8x8 pixels from scikit-learn (the optical digits of UCI)."""

from __future__ import annotations

import gzip
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

TEST_EVERY = 5


def train() -> tuple[np.ndarray, np.ndarray]:
    """1,438 images and their digits: `--data data:train` from this folder.

    x: float32 (images, 8, 8, 1) in 0..1; y: int64. Raises ModuleNotFoundError when scikit-learn
    is not installed.
    """
    return _part(test=False)


def test() -> tuple[np.ndarray, np.ndarray]:
    """The other 359 images, every fifth of the file: `--data data:test` from this folder."""
    return _part(test=True)


def _part(test: bool) -> tuple[np.ndarray, np.ndarray]:
    table = _table()
    rows = (np.arange(len(table)) % TEST_EVERY == TEST_EVERY - 1) == test
    pixels = table[rows, :-1] / np.float32(16)
    return pixels.reshape(-1, 8, 8, 1), table[rows, -1].astype(np.int64)


@cache
def _table() -> np.ndarray:
    """The file: 64 grey values 0..16 a row, then the digit, no header."""
    with gzip.open(_file(), "rt") as file:
        return np.loadtxt(file, delimiter=",", dtype=np.float32)


def _file() -> Path:
    # Finding the package without importing it: importing it takes a second, and SciPy.
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the digits need the Python package scikit-learn: "
                                  "pip install scikit-learn")
    return Path(next(iter(package.submodule_search_locations))) / "datasets/data/digits.csv.gz"
