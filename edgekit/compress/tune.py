"""Quantize the weights of a Keras model, and fine-tune it as if it ran on the device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgekit.compress import finetune
from edgekit.compress.encoding import Coded, Encoding, coded, encoding, encodings
from edgekit.compress.fake_quant import fake_quantized
from edgekit.compress.fold import fold
from edgekit.compress.grids import Grid
from edgekit.data import Data, make
from edgekit.importers.keras import import_keras
from edgekit.inputs import Values


@dataclass(frozen=True)
class Training:
    """How to fine-tune; 0 epochs: not at all. None: what suits the method and the data.

    `targets`: `labels`, or `model`: the float model's own outputs (before a last softmax or
    sigmoid), which need no labels and vary less than the labels do from seed to seed.
    """

    epochs: int | None = None
    seed: int = 0
    learning_rate: float | None = None
    batch_size: int = 64
    validation: Data | None = None
    patience: int | None = None
    augment: Any = None
    targets: str | None = None
    deterministic: bool = False


@dataclass(frozen=True, eq=False)
class Tuned:
    """`model`: functional, BatchNormalization folded in, every kernel on its grid. `kernels`:
    the same kernels as integers. `history`: None without training."""

    model: Any
    kernels: tuple[Coded, ...]
    history: finetune.History | None


def tune(model, grids: dict[str, Grid], data: Data, x: Values, training: Training,
         activation_bits: int | None = 8) -> Tuned:
    """The model with its kernels on their grids; the given one is not changed.

    Kernels are encoded once BatchNormalization is folded into them. With epochs, weights,
    biases and the fitted codebooks' knots and scales then train with everything rounded as on
    the device: a weight moves to another level when its hidden float value does. `x` starts
    the ranges of the activations. Raises what `finetune` raises.
    """
    folded = fold(model, finetune.SHORT_RUN_MOMENTUM)
    graph = folded
    if training.epochs and training.targets == "model":
        graph = _before_activation(folded)
        data, validation = [part and _outputs_as_targets(graph, part)
                            for part in (data, training.validation)]
        training = replace(training, validation=validation)
    found, history = encodings(folded, grids), None
    floats = [one for one in found if grids[one.layer.name].is_float]
    found = [one for one in found if not grids[one.layer.name].is_float]
    if training.epochs:
        history, found = _train(graph, found, data, x, training, activation_bits)
    else:
        for one in found:
            one.weight.assign(np.asarray(one.weight) / one.top)
    # What stays float is not rounded: these integers only tell where it is in the file.
    floats = [encoding(one.layer, one.weight, grids[one.layer.name]) for one in floats]
    integers = [coded(one, np.asarray(one.weight) / one.top) for one in floats]
    for one in found:
        values = np.asarray(one.weight)
        integers.append(coded(one, values))
        one.weight.assign(one.codes(np.clip(values, -1, 1)) * one.scale)
    return Tuned(folded, tuple(integers), history)


def _train(graph, found: list[Encoding], data: Data, x: Values, training: Training,
           activation_bits: int | None) -> tuple[finetune.History, list[Encoding]]:
    """(history, tuned encodings); the kernels of `graph` are left as fractions of their top."""
    finetune.check_and_seed(graph, data, training.epochs, training.seed, training.batch_size,
                            training.learning_rate, training.validation, training.patience,
                            training.deterministic)
    trained = fake_quantized(graph, found, activation_bits)
    trained.observe(x)
    history = finetune.fit(
        trained, graph, data, training.epochs, training.seed, batch_size=training.batch_size,
        learning_rate=training.learning_rate, validation=training.validation,
        patience=training.patience, augment=training.augment)
    return history, trained.encodings()


def _before_activation(folded):
    """The model without a last softmax or sigmoid, whose ends say little near 0 and 1."""
    last = folded.outputs[0]._keras_history.operation
    if getattr(getattr(last, "activation", last), "__name__", "") not in ("softmax", "sigmoid"):
        return folded
    return import_keras().Model(folded.input, last.input, name=folded.name)


def _outputs_as_targets(graph, data: Data) -> Data:
    """The data with the model's outputs for labels."""
    return make(data.x, finetune.outputs_of(graph, data.x), source=data.source)
