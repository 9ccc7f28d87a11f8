"""Codebooks: the few values that the weights of one tensor may have, and how they are fitted.

One idea serves all methods. The levels 0 .. N-1 are a piecewise-linear function of their number
that a few knots give, so `levels = matrix @ knots` with a fixed matrix:

    linear            2 knots, the ends of the range; the levels lie evenly between them
    piecewise-linear  more knots (the breakpoints), every one a level; even between neighbours
    kmeans            a knot per level

Values are fractions of a scale (of the largest |weight| of a tensor or channel), from -1 to 1;
on the device they are the integers -127 .. 127, so the int8 arithmetic is unchanged.

Quantizers of this kind are often sketched with two slips, which are put right here:
`round((w + 1) / 2)` for weights in -1 .. 1 has just the values 0 and 1, whatever the number of
bits. N levels from A to B need `round((w - A) / (B - A) * (N - 1))`: both ends are levels, and
what lies outside saturates. And k + 1 breakpoints bound k intervals, no more and no fewer: five
intervals need six breakpoints. Intervals have no gap between them, because neighbours share one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edgekit.errors import UsageError

METHODS = ("linear", "piecewise-linear", "kmeans")
PIECES = 5  # of a fitted piecewise-linear codebook that has levels enough
STEP = 127  # the integer of the value 1
_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class Codebook:
    """`matrix`: float64 (levels, knots). `knots`: float64, the values that may be tuned."""

    matrix: np.ndarray
    knots: np.ndarray

    @property
    def levels(self) -> np.ndarray:
        """The values, ascending."""
        return np.sort(self.matrix @ self.knots)

    @property
    def integers(self) -> np.ndarray:
        """The values on the int8 grid, ascending; two that are close may be one."""
        return np.clip(np.round(self.levels * STEP), -STEP, STEP).astype(np.int8)


def interpolation(levels: int, knots: int) -> np.ndarray:
    """The matrix for `levels` values from `knots` knots; float64 (levels, knots).

    Every knot is a level. The steps between are dealt evenly to the pieces, what is left over
    to the inner pieces, where the weights are dense, on both sides alike where that is
    possible. Raises UsageError for too few levels.
    """
    pieces = knots - 1
    if levels < knots:
        raise UsageError(f"{levels} levels cannot hold {knots} breakpoints: each one is a level",
                         f"give at least {knots} levels, or fewer breakpoints")
    steps = np.full(pieces, (levels - 1) // pieces)
    inner = sorted(range(pieces), key=lambda piece: (abs(2 * piece - pieces + 1), piece))
    left = (levels - 1) % pieces
    beside = int(pieces % 2 == 1 and left % 2 == 0)  # an even number passes the middle by
    steps[inner[beside:beside + left]] += 1
    places = np.interp(np.arange(levels), np.concatenate([[0], np.cumsum(steps)]),
                       np.arange(knots))
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(knots)))


def knots_of(method: str, levels: int) -> int:
    """How many knots a fitted codebook of a method has."""
    return {"linear": 2, "piecewise-linear": min(PIECES + 1, levels), "kmeans": levels}[method]


def given(levels: int, knots: np.ndarray, *, zero: bool = False) -> Codebook:
    """The codebook of given knots (ascending): a range, or breakpoints."""
    book = Codebook(interpolation(levels, len(knots)), np.asarray(knots, np.float64))
    return _with_zero(book) if zero else book


def fit(values: np.ndarray, method: str, levels: int, *, zero: bool = False) -> Codebook:
    """The codebook of a method with a small squared error on `values` (any shape).

    Lloyd's iteration: each value to its nearest level, then the knots by least squares; for
    kmeans that is k-means itself. Two starts, at even distances and at quantiles; the better
    one is taken. `zero`: 0 is a level, as pruned weights need it. Deterministic.
    """
    ordered = np.sort(np.asarray(values, np.float64).ravel())
    count = knots_of(method, levels)
    matrix = interpolation(levels, count)
    starts = (np.linspace(ordered[0], ordered[-1], count),
              np.quantile(ordered, np.linspace(0, 1, count)))
    books = [_lloyd(Codebook(matrix, start), ordered) for start in starts]
    if zero:
        books = [_lloyd(_with_zero(book), ordered) for book in books]
    return min(books, key=lambda book: squared_error(book, ordered))


def nearest(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each value the number of the nearest level (ascending)."""
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, values)


def codes(book: Codebook, values: np.ndarray) -> np.ndarray:
    """Values as their levels' integers; int8, the shape of `values`."""
    return book.integers[nearest(book.levels, values)]


def squared_error(book: Codebook, values: np.ndarray) -> float:
    """The sum of squared distances of the values to their levels."""
    return float(np.square(book.levels[nearest(book.levels, values)] - values).sum())


def _with_zero(book: Codebook) -> Codebook:
    """The codebook with its level nearest to 0 fixed there."""
    matrix = book.matrix.copy()
    matrix[np.abs(matrix @ book.knots).argmin()] = 0
    return replace(book, matrix=matrix)


def _lloyd(book: Codebook, ordered: np.ndarray) -> Codebook:
    for _ in range(_ROUNDS):
        order = np.argsort(book.matrix @ book.knots, kind="stable")
        matrix = book.matrix[order]
        number = nearest(matrix @ book.knots, ordered)
        counts = np.bincount(number, minlength=len(matrix))
        sums = np.bincount(number, ordered, minlength=len(matrix))
        # The change of least norm: a knot that no value speaks for stays where it is.
        error = sums - counts * (matrix @ book.knots)
        change = np.linalg.lstsq(matrix.T * counts @ matrix, matrix.T @ error, rcond=1e-9)[0]
        book = Codebook(book.matrix, np.clip(book.knots + change, -1, 1))
        if np.abs(change).max() < 1e-6:
            break
    return book
