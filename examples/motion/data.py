"""BasicMotions: a smart watch's accelerometer and gyroscope during four activities.

80 recordings of 10 seconds that come with the package aeon; collected in a student project at
the University of East Anglia, part of the UEA archive of multivariate time series.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

CLASSES = ("Badminton", "Running", "Standing", "Walking")
AXES, LENGTH = 6, 100  # acceleration x y z, rotation x y z; ten values a second
WINDOW, STRIDE = 50, 10  # five seconds, a new window every second
# Divided by these, each sensor's values are mostly within -1..1: one int8 scale serves both.
RANGE = np.array([20, 20, 20, 4, 4, 4], np.float32)


def train() -> tuple[np.ndarray, np.ndarray]:
    """240 windows of 40 recordings and their class numbers: `--data data:train` from this folder.

    x: float32 (windows, 50, 6); y: int64. Raises ModuleNotFoundError when aeon is not installed.
    """
    return _windows(*_read("TRAIN"))


def test() -> tuple[np.ndarray, np.ndarray]:
    """240 windows of the 40 other recordings: `--data data:test` from this folder."""
    return _windows(*_read("TEST"))


def shifted(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Windows that begin up to half a second earlier or later, each sensor scaled by up to a
    tenth: `--augment data:shifted`."""
    moved = np.stack([np.roll(window, random.integers(-5, 6), axis=0) for window in x])
    return moved * random.uniform(0.9, 1.1, (len(x), 1, AXES)).astype(np.float32)


def _windows(recordings: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = range(0, LENGTH - WINDOW + 1, STRIDE)
    x = np.stack([recordings[:, start:start + WINDOW] for start in starts], axis=1)
    return x.reshape(-1, WINDOW, AXES) / RANGE, np.repeat(classes, len(starts))


@cache
def _read(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Recordings (40, 100, 6) and class numbers of a .ts file: one recording a line, its six
    axes and its class between colons, values between commas."""
    lines = (_folder() / f"BasicMotions_{part}.ts").read_text().splitlines()
    rows = [line.split(":") for line in lines if line and line[0] not in "#@"]
    values = np.array([[axis.split(",") for axis in row[:AXES]] for row in rows], np.float32)
    return values.transpose(0, 2, 1), np.array([CLASSES.index(row[AXES].strip()) for row in rows])


def _folder() -> Path:
    # Finding the package without importing it: its import needs numba, pandas and more.
    package = importlib.util.find_spec("aeon")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("BasicMotions needs the data files of the Python package aeon: "
                                  "pip install --no-deps aeon")
    return Path(next(iter(package.submodule_search_locations))) / "datasets/data/BasicMotions"
