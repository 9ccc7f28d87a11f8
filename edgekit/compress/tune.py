"""Quantize the weights of a Keras model, and fine-tune it as if it ran on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.compress import finetune, kernels
from edgekit.compress.encoding import Coded, coded, encodings
from edgekit.compress.fake_quant import fake_quantized
from edgekit.compress.fold import fold
from edgekit.compress.grids import Grid
from edgekit.data import Data


@dataclass(frozen=True)
class Training:
    """How to fine-tune; 0 epochs: not at all. None: what suits the method."""

    epochs: int | None = None
    seed: int = 0
    learning_rate: float | None = None
    batch_size: int = 64
    validation: Data | None = None
    patience: int | None = None
    augment: Any = None
    deterministic: bool = False


@dataclass(frozen=True, eq=False)
class Tuned:
    """`model`: functional, BatchNormalization folded in, every kernel on its grid. `kernels`:
    the same kernels as integers. `history`: None without training."""

    model: Any
    kernels: tuple[Coded, ...]
    history: finetune.History | None


def tune(model, grids: dict[str, Grid], data: Data, x: np.ndarray, training: Training,
         activation_bits: int | None = 8) -> Tuned:
    """The model with its kernels on their grids; the given one is not changed.

    Kernels are encoded once BatchNormalization is folded into them. With epochs, weights,
    biases and the fitted codebooks' knots and scales then train with everything rounded as on
    the device: a weight moves to another level when its hidden float value does. `x` starts
    the ranges of the activations. Raises what `finetune` raises.
    """
    if training.epochs:
        finetune.check_and_seed(model, data, training.epochs, training.seed, training.batch_size,
                                training.learning_rate, training.validation, training.patience,
                                training.deterministic)
    folded = fold(model, finetune.SHORT_RUN_MOMENTUM)
    found, history = encodings(folded, grids), None
    if training.epochs:
        trained = fake_quantized(folded, found, activation_bits)
        trained.observe(x)
        history = finetune.fit(
            trained, folded, data, training.epochs, training.seed,
            batch_size=training.batch_size, learning_rate=training.learning_rate,
            validation=training.validation, patience=training.patience, augment=training.augment)
        found = trained.encodings()
    else:
        for one in found:
            one.weight.assign(np.asarray(one.weight) / one.top)
    integers = []
    for one in found:
        values = np.asarray(one.weight)
        integers.append(coded(one, values))
        one.weight.assign(one.codes(np.clip(values, -1, 1)) * one.scale)
    return Tuned(folded, tuple(integers), history)
