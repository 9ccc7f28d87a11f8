"""Quantization: a Keras model or a float .tflite to int8 .tflite bytes, by several methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgekit import inputs, log, tflite
from edgekit.compress import codebook_tflite, convert, walk
from edgekit.compress.calibration import few_samples, saturated_weights
from edgekit.compress.carry import carry
from edgekit.compress.encoding import Coded
from edgekit.compress.codebook import STEP
from edgekit.compress.finetune import History
from edgekit.compress.grids import Grid, Scope, grids
from edgekit.compress.outside import layers_outside, mix
from edgekit.compress.quantize_tflite import quantize_tflite
from edgekit.compress.tune import Training, tune
from edgekit.data import Data
from edgekit.errors import UsageError
from edgekit.graph import DType
from edgekit.inputs import Values

TARGETS = ("labels", "model")
# Where a method fine-tunes and the user says nothing.
CODEBOOK_EPOCHS, INT8_EPOCHS = 12, 6
# Learning rates of Adam. Weights must cross half the way between two levels to change: on a
# coarse grid small steps never get there, on a fine one large steps undo the training.
CODEBOOK_RATE, INT8_RATE = 2e-3, 3e-4


@dataclass(frozen=True, eq=False)
class Quantized:
    """`content`: the .tflite. `kernels`: the layer of each weight tensor whose integers edgekit
    chose. `model`: the float Keras model that was converted, None for a .tflite. `x`: the
    samples that calibrated it. `history`: of the fine-tuning, if any."""

    content: bytes
    kernels: Mapping[int, Coded]
    warnings: tuple[str, ...]
    model: Any
    x: Values
    history: History | None = None


def quantize(model, data: Data, *, method: str = "linear", scope: Scope = None,
             bits: int | Mapping[str, int] | None = None, levels: int | None = None,
             range: Sequence[float] | None = None, breakpoints: Sequence[float] | None = None,
             dtype: str = "int8", per_channel: bool | None = None,
             weights: str | Mapping[str, str] | None = None, outside: str = "int8",
             epochs: int | None = None,
             seed: int = 0, learning_rate: float | None = None, batch_size: int = 64,
             validation: Data | None = None, patience: int | None = None, augment: Any = None,
             targets: str | None = None, deterministic: bool = False, samples_used: int = 300) -> bytes:
    """The int8 .tflite of a Keras model: int8 input and output, batch 1, int8 weights.

    `data.x` calibrates the ranges of the activations; of more than `samples_used` samples,
    that many are taken at even distances. `model` may also be the bytes of a .tflite: a float
    one is quantized, an int8 one only gets codebooks; neither can be fine-tuned. The same model, data and options give the same bytes.

    `method`: `linear`, `piecewise-linear` or `kmeans` (see `codebook`), or `qat`: linear, with
    quantization-aware fine-tuning. With less than 8 `bits` (2 to 8; or any number of `levels`)
    the weights of each layer in `scope` take so few integers: what the arithmetic and the
    file format are stays int8, and a compressed runtime finds the codebook by counting.
    `bits` may map scopes to bits. Layers outside are int8. Other ways to say the levels:
    `range` A, B of linear and `breakpoints` of piecewise-linear, in units of the weights with
    BatchNormalization folded in (with `per_channel`: of each channel's largest |weight|);
    where they are not given they are fitted.

    `weights`: int8, or int4 for two weights in a byte, with 15 values and no codebook; it may map
    scopes as `bits` does. Dense layers have one scale then.

    `outside`: what the layers outside the scope are: int8, or for TensorFlow Lite Micro alone
    int16x8 (their activations are int16) or float; operators without weights are as those that
    write their inputs. Both ends stay int8.

    `per_channel`: a scale for each output channel, the default, or one for each tensor; the
    default for given ranges and breakpoints is one. `dtype`: int8, or int16x8 for int16
    activations and ends (TensorFlow Lite Micro only). `epochs` of fine-tuning through the
    rounding; default 0 for plain int8, 6 for qat, 12 for codebooks and int4. `targets`: what it trains for,
    `labels` of the data (default of qat), or `model`: the outputs of the float model, which
    needs no labels (default of these two and without labels, but not with `augment`, which
    changes the samples). The other options are those of `finetune`; the learning rate's default
    is 0.0003 for int8 and 0.002 for codebooks and int4.

    Raises UsageError for options, BadModel with the converter's reason, BadData for data that
    does not suit the model or shows nothing of its ranges, NotThere when a package is missing.
    """
    training = Training(epochs, seed, learning_rate, batch_size, validation, patience, augment,
                        targets, deterministic)
    return quantized(model, data, training, method=method, scope=scope, bits=bits, levels=levels,
                     range=range, breakpoints=breakpoints, dtype=dtype, per_channel=per_channel,
                     weights=weights, outside=outside, samples_used=samples_used).content


def quantized(model, data: Data, training: Training, *, method: str = "linear", dtype: str = "int8",
              outside: str = "int8", samples_used: int = 300, **options) -> Quantized:
    """What `quantize` does, with its findings."""
    if dtype not in convert.DTYPES:
        raise UsageError(f"there is no dtype '{dtype}'", f"one of {', '.join(convert.DTYPES)}")
    x = inputs.spread(data.x, samples_used)
    used = inputs.count(x)
    log.progress("quantizing", 0, 1, f"{used} samples")
    if isinstance(model, bytes | bytearray):
        if outside != "int8":
            raise UsageError(f"a .tflite cannot keep layers {outside}: int8 ones have lost their "
                             "real weights", "give the Keras model")
        found = _quantize_tflite(bytes(model), data, x, training, method, dtype, options)
    else:
        found = _quantize_keras(model, data, x, training, method, dtype, outside, options)
    if outside != "float":
        convert.refuse_float(found.content)
    log.progress("quantizing", 1, 1, f"{len(found.content):,} bytes")
    return replace(found, warnings=(*few_samples(len(data), used), *found.warnings))


def _quantize_keras(model, data, x, training: Training, method, dtype, outside,
                    options) -> Quantized:
    convert.check_convertible(model, data)
    plan = grids(walk.layers_of(model), "linear" if method == "qat" else method, **options)
    names = _outside(model, plan, dtype, outside, options.get("scope"))
    if dtype == "int16x8" and any(grid.step != STEP for grid in plan.values()):
        raise UsageError("int16x8 takes no int4 weights: TensorFlow Lite Micro has int8 ones for "
                         "int16 activations", "--dtype int8, or --weights int8")
    training = _defaults(training, method, _codebooks(plan), data)
    one_scale = not any(grid.per_channel for grid in plan.values())
    # For int16 the converter cannot give one scale: it gives one per channel, made equal.
    by_channel = not one_scale or dtype == "int16x8"
    if not (training.epochs or one_scale or names or _codebooks(plan)):
        return Quantized(convert.convert(model, x, dtype=dtype), {}, (), model, x)
    tuned = tune(model, plan, data, x, training, 8 if dtype == "int8" else None)
    content = convert.convert(tuned.model, x, dtype=dtype, per_channel=by_channel)
    content, kernels = carry(content, tuned.kernels)
    if names:
        content, kernels = mix(content, kernels, names, outside, tuned.model, x)
    # Not tuned, the user's own model is what the numbers are to be compared with.
    float_model = tuned.model if training.epochs else model
    return Quantized(content, kernels, saturated_weights(tuned.kernels), float_model, x,
                     tuned.history)


def _outside(model, plan: dict[str, Grid], dtype: str, outside: str, scope) -> frozenset[str]:
    """The names of the layers that are not to be int8; those of float lose their grids."""
    names = layers_outside(walk.layers_of(model), scope, outside)
    if names and dtype != "int8":
        raise UsageError(f"--dtype {dtype} is for the whole model; layers outside a scope of int8 "
                         f"can be {outside}", "--dtype int8")
    if outside == "float":
        plan.update((name, replace(plan[name], is_float=True)) for name in names)
    return names


def _defaults(training: Training, method: str, codebooks: bool, data: Data) -> Training:
    """The training with what the user left open."""
    epochs, targets = training.epochs, training.targets
    if epochs is None:
        epochs = CODEBOOK_EPOCHS if codebooks else INT8_EPOCHS if method == "qat" else 0
    elif method == "qat" and epochs == 0:
        raise UsageError("the method qat with 0 epochs trains nothing", "--method linear")
    if targets is None:
        to_model = training.augment is None and (codebooks or data.y is None)
        targets = "model" if to_model else "labels"
    if targets not in TARGETS or (targets == "model" and training.augment is not None):
        raise UsageError(f"the targets {targets!r} cannot be trained for" + (
            " with augmented samples" if targets in TARGETS else ""), "targets='labels'")
    rate = training.learning_rate
    if rate is None:
        rate = CODEBOOK_RATE if codebooks else INT8_RATE
    return replace(training, epochs=epochs, learning_rate=rate, targets=targets)


def _codebooks(plan: dict[str, Grid]) -> bool:
    """Whether some layer's weights take few values: such training needs large steps."""
    return any(grid.levels is not None or grid.step != STEP for grid in plan.values())


def _is_int8(content: bytes) -> bool:
    graph = tflite.read(content)
    return all(graph.tensors[index].dtype is DType.INT8 for index in graph.inputs)


def _quantize_tflite(content: bytes, data, x, training: Training, method, dtype,
                     options) -> Quantized:
    if training.epochs or method == "qat":
        raise UsageError("a .tflite cannot be fine-tuned: it has no gradients",
                         "give the Keras model, or --epochs 0")
    if dtype != "int8":
        raise UsageError(f"a float .tflite becomes int8 only, not {dtype}", "give the Keras model")
    if not _is_int8(content):
        content = quantize_tflite(content, data, x)
    content, kernels = codebook_tflite.encode(content, method, options)
    return Quantized(content, kernels, saturated_weights(kernels.values()), None, x)
