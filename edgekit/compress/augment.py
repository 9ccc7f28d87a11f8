"""Training samples changed at random: by Keras preprocessing layers, or by the user's function."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from edgekit import sources
from edgekit.data import Data
from edgekit.errors import BadData, UsageError
from edgekit.importers.keras import import_keras


def load(name: str) -> Any:
    """The layer, model or function `package.module:name` stands for; raises BadData."""
    import_keras()  # before the user's module imports it with a backend of its own
    found = sources.imported(name, "it is a Keras layer, or a function of (x, random)")
    if not callable(found):
        raise BadData(f"{name} is no augmentation: a {type(found).__name__} cannot be called",
                      "name a Keras layer, or a function of (x, random) that returns x")
    return found


class Stream:
    """Shuffled, augmented batches (x, y) without end, the same ones for a seed.

    `augment` is a Keras layer (called with training=True, its random states set from the seed)
    or a function of (x, random) -> x: float32 samples and a numpy Generator. What it raises or
    does wrong ends the stream and stays in `failure`, as a BadData: TensorFlow, which reads the
    stream, would wrap the exception in one of its own.
    """

    def __init__(self, data: Data, augment, batch_size: int, seed: int):
        self.failure: BadData | None = None
        self._data, self._size, self._seed = data, batch_size, seed
        if isinstance(data.x, tuple):
            raise UsageError(f"augmentation is for models with one input; this has {len(data.x)}",
                             "augment the samples before, or leave it out")
        is_layer = isinstance(augment, import_keras().layers.Layer)
        self._change = _of_layer(augment, seed) if is_layer else augment

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for epoch in count():
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self._data))
            for start in range(0, len(order), self._size):
                rows = order[start:start + self._size]
                random = np.random.default_rng((self._seed, epoch, start))
                try:
                    x = changed(self._data.x[rows], self._change, random)
                except BadData as failure:
                    self.failure = failure
                    raise
                yield x, self._data.y[rows]


def _of_layer(layer, seed: int):
    states = [variable for variable in layer.variables if "seed_generator_state" in variable.name]
    for number, state in enumerate(states):
        state.assign([seed, number])
    return lambda x, random: layer(x, training=True)


def changed(x: np.ndarray, change, random: np.random.Generator) -> np.ndarray:
    """One batch after augmentation, checked; `x` itself is not changed."""
    try:
        result = np.asarray(change(x.copy(), random), dtype=np.float32)
    except Exception as error:  # whatever the user's own code raises
        raise BadData(f"the augmentation failed: {type(error).__name__}: {error}",
                      "it is called with (x, random) and returns x, changed") from error
    if result.shape != x.shape:
        raise BadData(f"the augmentation made {result.shape} of {x.shape}",
                      "it must keep the shape: end with a resize or a crop to it")
    if not np.isfinite(result).all():
        raise BadData("the augmentation gave NaN or infinite values",
                      "look for a division by a range that can be zero")
    return result
