"""Weights that are zero and stay zero: masks by magnitude or by an N:M pattern.

A mask has the shape of a layer's kernel; True keeps a weight. Biases are never masked, nor are
depthwise kernels, which are too small to be worth zeros.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgekit.compress.structure import analyse
from edgekit.importers.keras import import_keras

Masks = dict[str, np.ndarray]
KERNELS = ("kernel", "pointwise_kernel")


def kernels(model) -> dict[str, tuple[str, object]]:
    """Layer name -> (layer type, kernel variable) of every layer with filters or neurons."""
    return {port.name: (port.kind, kernel_of(port.layer)) for port in analyse(model).producers()}


def kernel_of(layer):
    """The variable of a layer that holds its filters' weights."""
    return next(weight for weight in layer.weights if weight.name in KERNELS)


def magnitude(value: np.ndarray, rate: float | None, threshold: float | None = None) -> np.ndarray:
    """The mask that zeroes the smallest |weight|: those below `threshold`, at most `rate` of all.

    One weight is always kept. Equal magnitudes go in the kernel's own order.
    """
    size = np.abs(value.ravel())
    order = np.argsort(size, kind="stable")
    count = len(size) if threshold is None else int((size < threshold).sum())
    if rate is not None:
        count = min(count, int(rate * len(size) + 1e-9))
    mask = np.ones(len(size), bool)
    mask[order[:min(count, len(size) - 1)]] = False
    return mask.reshape(value.shape)


def pattern(kind: str, value: np.ndarray, n: int, m: int) -> np.ndarray:
    """The mask that keeps the `n` largest of each `m` neighbouring weights of a filter.

    Neighbours are those of the .tflite's layout, in which a filter's weights lie row by row with
    the input channels innermost. A rest of fewer than `m` weights is kept.
    """
    axis = -2 if kind.endswith("Transpose") else -1
    by_filter = np.moveaxis(np.abs(value), axis, 0)
    flat = by_filter.reshape(len(by_filter), -1)
    whole = flat.shape[1] // m * m
    groups = flat[:, :whole].reshape(len(flat), -1, m)
    weakest = np.argsort(groups, axis=-1, kind="stable")[..., :m - n]
    kept = np.ones(groups.shape, bool)
    np.put_along_axis(kept, weakest, False, axis=-1)
    mask = np.ones(flat.shape, bool)
    mask[:, :whole] = kept.reshape(len(flat), whole)
    return np.moveaxis(mask.reshape(by_filter.shape), 0, axis)


def of_zeros(model) -> Masks:
    """The masks that keep every weight that is zero now at zero."""
    return {name: np.asarray(kernel) != 0 for name, (_, kernel) in kernels(model).items()
            if not np.asarray(kernel).all()}


def apply(model, masks: Masks) -> None:
    """Set the masked weights of a flat model to zero, in place."""
    for name, mask in masks.items():
        kernel = kernel_of(model.get_layer(name))
        kernel.assign(np.where(mask, np.asarray(kernel), 0))


def polynomial(step: int, end: int) -> float:
    """How much of the final rate is reached at a step: 1 - (1 - step/end)^3, the cubic schedule
    of gradual magnitude pruning (Zhu and Gupta, 2017): fast while weights are redundant."""
    return 1.0 if step >= end else 1.0 - (1.0 - step / end) ** 3


def hold(model, masks: Masks) -> Callable[[Masks], None]:
    """Keep the masked weights of a flat model at zero while it trains, after every update.

    Masks become constraints of the kernels. Returns the function that changes the masks;
    `release` ends it.
    """
    keras = import_keras()

    class Masked(keras.constraints.Constraint):
        def __init__(self, mask):
            self.mask = mask

        def __call__(self, weight):
            return weight * keras.ops.cast(self.mask, weight.dtype)

    variables = {}
    for name, mask in masks.items():
        variables[name] = keras.Variable(mask.astype("float32"), trainable=False, name="mask")
        kernel_of(model.get_layer(name)).constraint = Masked(variables[name])
    apply(model, masks)

    def change(new: Masks) -> None:
        for name, mask in new.items():
            variables[name].assign(mask.astype("float32"))
        apply(model, new)

    return change


def release(model, masks: Masks) -> None:
    """Let the weights of `hold` change again."""
    for name in masks:
        kernel_of(model.get_layer(name)).constraint = None
