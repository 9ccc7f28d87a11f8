"""Train a Keras model for a few epochs, the same way each time for a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit import data as samples
from edgekit import inputs, log
from edgekit.compress import masks
from edgekit.compress.augment import Stream
from edgekit.compress.structure import analyse, rebuild
from edgekit.data import Data
from edgekit.errors import BadModel, EdgekitError, UsageError
from edgekit.importers.keras import import_keras, input_shapes

# Keras's default of .99 needs hundreds of steps to follow the changed activations: after a
# short run, inference with the stale statistics is near chance.
SHORT_RUN_MOMENTUM = 0.9

Prepare = Callable[[Any, int], list]  # (the model to train, all steps) -> callbacks


@dataclass(frozen=True)
class History:
    """Per epoch: mean loss, accuracy (None for targets that are not classes) and, with
    validation data, the same on it. `epochs` is how many ran."""

    epochs: int
    loss: tuple[float, ...]
    accuracy: tuple[float, ...] | None
    validation_loss: tuple[float, ...] | None
    validation_accuracy: tuple[float, ...] | None


def finetune(model, data: Data, epochs: int, seed: int = 0, *, batch_size: int = 64,
             learning_rate: float = 1e-3, validation: Data | None = None,
             patience: int | None = None, augment: Any = None, keep_zeros: bool = False,
             deterministic: bool = False, what: str = "fine-tuning",
             prepare: Prepare | None = None, settled: float = 0.0):
    """(trained functional model, History); the given model is not changed.

    Adam whose learning rate falls along a cosine to zero; cross-entropy for class numbers,
    with or without a softmax at the end of the model, mean squared error for other targets.
    BatchNormalization runs with momentum .9. `patience`: stop after so many epochs without a
    better validation loss, and keep the best weights; counted after `settled` of the epochs.
    `augment`: a Keras preprocessing layer or a function of (x, random), see `augment.Stream`.
    `keep_zeros`: weights of kernels that are zero stay zero. `prepare(copy, steps)` may set
    regularizers or constraints on the copy that is trained, and returns further callbacks.
    The seed fixes shuffling, dropout and augmentation; `deterministic` also TensorFlow's own
    kernels, for the rest of the process, so that the weights repeat bit by bit.

    Raises BadData for data that does not suit the model, UsageError for wrong options,
    EdgekitError when the loss is no number any more.
    """
    check_and_seed(model, data, epochs, seed, batch_size, learning_rate, validation, patience,
                   deterministic)
    trained = rebuild(analyse(model), momentum=SHORT_RUN_MOMENTUM)
    zeros = masks.of_zeros(trained) if keep_zeros else {}
    masks.hold(trained, zeros)
    history = fit(trained, trained, data, epochs, seed, batch_size=batch_size,
                  learning_rate=learning_rate, validation=validation, patience=patience,
                  augment=augment, what=what, prepare=prepare, settled=settled)
    masks.release(trained, zeros)
    return trained, history


def check_and_seed(model, data: Data, epochs: int, seed: int, batch_size: int,
                   learning_rate: float, validation: Data | None, patience: int | None,
                   deterministic: bool) -> None:
    """Check what `finetune` is given, and seed what is random in training."""
    _check_options(epochs, batch_size, learning_rate, validation, patience)
    for part in filter(None, (data, validation)):
        _check_data(model, part)
    import_keras().utils.set_random_seed(seed)
    if deterministic:
        import tensorflow
        tensorflow.config.experimental.enable_op_determinism()


def fit(trained, graph, data: Data, epochs: int, seed: int, *, batch_size: int,
        learning_rate: float, validation: Data | None = None, patience: int | None = None,
        augment: Any = None, what: str = "fine-tuning", prepare: Prepare | None = None,
        settled: float = 0.0) -> History:
    """Train a model in place, as `finetune` says; `graph` is the functional model that tells its
    last layer: the model itself where it is functional."""
    keras = import_keras()
    steps = math.ceil(len(data) / batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * steps)
    loss, metrics = _objective(keras, graph, data)
    callbacks = _callbacks(keras, what, epochs, steps, patience, int(settled * epochs))
    if prepare is not None:
        callbacks += prepare(trained, epochs * steps)
    # XLA costs 20 s of compilation on a CPU, five times what it would save here.
    trained.compile(keras.optimizers.Adam(schedule), loss, metrics=metrics, jit_compile=False)
    stream = None if augment is None else Stream(data, augment, batch_size, seed)
    history = _fit(trained, data, stream, batch_size, steps, epochs=epochs, verbose=0,
                   validation_data=None if validation is None else (inputs.fed(validation.x),
                                                                    validation.y),
                   callbacks=callbacks)
    if not np.isfinite(history["loss"]).all():
        raise EdgekitError(f"{what} diverged: the loss is {history['loss'][-1]}",
                           f"lower the learning rate (it was {learning_rate:g})")
    return _history(history)


def _fit(model, data: Data, stream: Stream | None, batch_size: int, steps: int, **options) -> dict:
    """Keras's history of training on the data, or on the stream made of it."""
    if stream is None:
        return model.fit(inputs.fed(data.x), data.y, batch_size=batch_size, **options).history
    try:
        return model.fit(iter(stream), steps_per_epoch=steps, shuffle=False, **options).history
    except Exception as error:
        if stream.failure is None:
            raise
        raise stream.failure from error


def evaluate(model, data: Data) -> float:
    """The fraction of samples whose largest output is the label; raises BadData."""
    _check_data(model, data)
    if data.y.ndim != 1:
        raise UsageError("accuracy needs class numbers as labels", "give y as integers")
    return float(np.mean(predicted_classes(outputs_of(model, data.x)) == data.y))


def outputs_of(model, x: inputs.Values) -> np.ndarray:
    """What a model of one output computes for samples, in inference."""
    # Called directly: model.predict would first trace and compile a function per model.
    return np.concatenate([np.asarray(model(
        inputs.fed(inputs.rows(x, slice(start, start + 256))), training=False))
        for start in range(0, inputs.count(x), 256)])


def predicted_classes(outputs: np.ndarray) -> np.ndarray:
    """Class numbers of raw outputs (samples, classes); one output is a probability of class 1."""
    outputs = outputs.reshape(len(outputs), -1)
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(int)


def _check_options(epochs, batch_size, learning_rate, validation, patience) -> None:
    if epochs < 1 or batch_size < 1:
        raise UsageError(f"{epochs} epochs of batches of {batch_size}: both must be at least 1",
                         "for example --epochs 6")
    if not 0 < learning_rate < math.inf:
        raise UsageError(f"the learning rate is {learning_rate}; it must be above 0",
                         "0.001 suits most models")
    if patience is not None and patience < 1:
        raise UsageError(f"the patience is {patience} epochs; it must be at least 1",
                         "leave it out to run all epochs")
    if patience is not None and validation is None:
        raise UsageError("early stopping needs validation data", "give some, or leave it out")


def _check_data(model, data: Data) -> None:
    if len(model.outputs) != 1:
        raise BadModel(f"the model has {len(model.outputs)} outputs; training needs one",
                       "train it in Python instead")
    shape = tuple(model.outputs[0].shape[1:])
    samples.check(data, input_shapes(model), classes=shape[-1] if shape else 1)
    if data.y.dtype != np.int64 and data.y.reshape(len(data), -1).shape[1] != math.prod(shape):
        raise samples.BadData(f"{data.source}: targets have shape {data.y.shape[1:]}; the model "
                              f"gives {shape}", "labels of classes must be integers")


def _objective(keras, model, data: Data):
    """(loss, metrics) for the labels and the model's last layer."""
    if data.y.dtype != np.int64:
        return keras.losses.MeanSquaredError(), []
    last = model.outputs[0]._keras_history.operation
    name = getattr(getattr(last, "activation", None), "__name__", type(last).__name__).lower()
    if model.outputs[0].shape[-1] == 1:
        return keras.losses.BinaryCrossentropy(from_logits=name != "sigmoid"), [
            keras.metrics.BinaryAccuracy("accuracy", threshold=0.5 if name == "sigmoid" else 0.0)]
    return keras.losses.SparseCategoricalCrossentropy(from_logits=name != "softmax"), [
        keras.metrics.SparseCategoricalAccuracy("accuracy")]


def _callbacks(keras, what: str, epochs: int, steps: int, patience: int | None,
               settled: int) -> list:
    every = max(1, steps // 10)
    epoch = [0]

    def begin(number, logs=None):
        epoch[0] = number

    def batch_end(batch, logs=None):
        if batch % every == every - 1 and epoch[0] * steps + batch + 1 < epochs * steps:
            log.progress(what, epoch[0] * steps + batch + 1, epochs * steps,
                         f"epoch {epoch[0] + 1} of {epochs}")

    def train_end(logs=None):
        detail = ", ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        log.progress(what, epochs * steps, epochs * steps, detail)

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_train_batch_end=batch_end,
                                                on_train_end=train_end)]
    if patience is not None:
        callbacks.append(keras.callbacks.EarlyStopping(
            "val_loss", patience=patience, restore_best_weights=True, start_from_epoch=settled))
    return callbacks


def _history(history: dict) -> History:
    def column(name):
        return tuple(map(float, history[name])) if name in history else None

    return History(len(history["loss"]), column("loss"), column("accuracy"),
                   column("val_loss"), column("val_accuracy"))
