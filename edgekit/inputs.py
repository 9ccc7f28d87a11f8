"""Samples of models with one input or several: one array, or a tuple of them in the model's order.

A `Shape` is a sample's, without the sample axis. `Shapes` are a model's: of one input its Shape,
of several a mapping from their names, in the model's order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Values = np.ndarray | tuple[np.ndarray, ...]
Shape = tuple[int | None, ...]
Shapes = Shape | Mapping[str, Shape]


def parts(x: Values) -> tuple[np.ndarray, ...]:
    """One array per input."""
    return x if isinstance(x, tuple) else (x,)


def together(arrays) -> Values:
    """The array itself where there is one, a tuple of several."""
    arrays = tuple(arrays)
    return arrays[0] if len(arrays) == 1 else arrays


def count(x: Values) -> int:
    """How many samples there are."""
    return len(parts(x)[0])


def rows(x: Values, index) -> Values:
    """The samples of an index, a slice or a mask, of every input."""
    return together(array[index] for array in parts(x))


def spread(x: Values, most: int) -> Values:
    """At most so many samples, at even distances: data sorted by class shows all classes."""
    if count(x) <= most:
        return x
    return rows(x, np.linspace(0, count(x) - 1, most).round().astype(int))


def fed(x: Values):
    """Values as Keras wants them: several inputs in a list."""
    return list(x) if isinstance(x, tuple) else x


def names(shapes: Shapes) -> tuple[str, ...]:
    """Names of several inputs; of one there is none."""
    return tuple(shapes) if isinstance(shapes, Mapping) else ()


def shapes_of(shapes: Shapes) -> tuple[Shape, ...]:
    """One shape per input."""
    return tuple(map(tuple, shapes.values())) if isinstance(shapes, Mapping) else (tuple(shapes),)
