"""The weights of a model as integers: one scale per channel or tensor, and a codebook or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.compress import codebook, kernels
from edgekit.compress.codebook import STEP, Codebook
from edgekit.compress.grids import Grid

# Zeros of a float kernel were pruned, and stay. Only so few as these may be chance, for which no
# codebook is to give one of its levels away.
PRUNED = 0.01
TURNS = 3  # of fitting scales and levels; more change little


@dataclass(frozen=True, eq=False)
class Encoding:
    """How one kernel is encoded: real weight = top * value, value in -1 .. 1.

    `top`: float32 that broadcasts against the kernel. `book`: None for all of int8.
    `keep`: False where a weight is pruned, None when none is. `tunable`: whether
    fine-tuning may move the book's knots; not where the user gave them. `step`: the integer of
    the value 1.
    """

    layer: Any
    weight: Any
    top: np.ndarray
    book: Codebook | None
    keep: np.ndarray | None
    tunable: bool
    step: int = STEP

    @property
    def scale(self) -> np.ndarray:
        """The real value of the integer 1; float32, the shape of `top`."""
        return (self.top / np.float32(self.step)).astype(np.float32)

    def codes(self, values: np.ndarray) -> np.ndarray:
        """The integers of values in -1 .. 1; int8."""
        if self.book is None:
            found = np.clip(np.round(values * self.step), -self.step, self.step).astype(np.int8)
        else:
            found = codebook.codes(self.book, values)
        return found if self.keep is None else np.where(self.keep, found, np.int8(0))


@dataclass(frozen=True, eq=False)
class Coded:
    """A kernel as the device has it, in the order of a .tflite: real weight = scale * code.

    `codes`: int8 with two axes. `scale`: float32 that broadcasts against them. `levels`: how
    many values the codebook has, None without one. `saturated`: the fraction of the weights
    that lies beyond the range or the breakpoints that the user gave. `int4`: the file holds
    them as int4.
    """

    layer: str
    codes: np.ndarray
    scale: np.ndarray
    levels: int | None = None
    saturated: float = 0.0
    int4: bool = False

    @property
    def real(self) -> np.ndarray:
        """The weights, flat; float32."""
        return (self.codes * self.scale).ravel()


def encoding(layer, weight, grid: Grid) -> Encoding:
    """The encoding of a kernel of a folded model, its codebook fitted where none is given."""
    value = np.asarray(weight)
    pruned = value == 0
    few = grid.levels is not None and pruned.mean() < PRUNED
    keep = ~pruned if pruned.any() and not few and not pruned.all() else None
    top = kernels.largest(layer, weight, value, grid.per_channel)
    if grid.levels is None or pruned.all():
        if grid.step != STEP and not pruned.all():
            top = fitted_scale(value, top, grid.step)
        return Encoding(layer, weight, top, None, keep, False, grid.step)
    if grid.knots is None:
        top, book = _fitted(value, top, keep, grid)
        return Encoding(layer, weight, top, book, keep, True)
    knots = np.array(grid.knots)
    if not grid.per_channel:  # the knots are weights: the scale is what holds the largest knot
        top = np.full_like(top, np.abs(knots).max())
        knots = knots / np.abs(knots).max()
    knots = np.clip(knots, -1, 1)
    book = codebook.given(grid.levels, knots, zero=keep is not None)
    return Encoding(layer, weight, top, book, keep, False)


def _fitted(value: np.ndarray, top: np.ndarray, keep, grid: Grid) -> tuple[np.ndarray, Codebook]:
    """(top, codebook): the scales too are fitted by least squares, in turns with the levels.

    The largest |weight| of a channel is an outlier as often as not; on few levels a smaller
    scale that clips it is better for all the others.
    """
    chosen = keep if keep is not None else np.ones(value.shape, bool)
    for turn in range(TURNS + 1):
        fractions = np.clip(value / top, -1, 1)
        book = codebook.fit(fractions[chosen], grid.method, grid.levels, zero=keep is not None)
        if turn < TURNS:
            level = book.levels[codebook.nearest(book.levels, fractions)] * chosen
            top = _scaled_to(value, level, top)
    return top, book


def fitted_scale(value: np.ndarray, top: np.ndarray, step: int) -> np.ndarray:
    """`top` with which values rounded to -step .. step have a small squared error."""
    for _ in range(TURNS):
        level = np.round(np.clip(value / top, -1, 1) * step) / step
        top = _scaled_to(value, level, top)
    return top


def _scaled_to(value: np.ndarray, level: np.ndarray, top: np.ndarray) -> np.ndarray:
    """The factors, one where `top` has one, that bring the levels next to the values."""
    axes = tuple(axis for axis, size in enumerate(top.shape) if size == 1)
    agreement = (value * level).sum(axis=axes, keepdims=True)
    power = np.square(level).sum(axis=axes, keepdims=True)
    good = (agreement > 0) & (power > 0)
    return np.where(good, agreement / np.where(good, power, 1), top).astype(np.float32)


def encodings(folded, grids: dict[str, Grid]) -> list[Encoding]:
    """The encoding of every kernel of a folded model, in its order."""
    return [encoding(layer, weight, grids[layer.name]) for layer in folded.layers
            for weight in kernels.kernels_of(layer)]


def coded(found: Encoding, values: np.ndarray) -> Coded:
    """A kernel's values (real weights over `top`) as the device has them."""
    layer, weight = found.layer, found.weight
    levels, beyond = None, 0.0
    if found.book is not None:
        levels = len(found.book.matrix)
        if not found.tunable:
            low, high = found.book.levels[[0, -1]] + (-0.5 / STEP, 0.5 / STEP)
            beyond = float(((values < low) | (values > high)).mean())
    codes = kernels.in_file_order(layer, weight, found.codes(values))
    return Coded(layer.name, codes, kernels.in_file_order(layer, weight, found.scale), levels,
                 beyond, found.step != STEP)
