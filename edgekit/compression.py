"""The commands prune and quantize: files in, files out, one document about what was done."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from edgekit import checks
from edgekit import data as sources
from edgekit import output, samples, tflite
from edgekit.documents import document, issue
from edgekit.emulators import tflm_host
from edgekit.errors import UsageError
from edgekit.golden import Golden
from edgekit.macs import model_section
from edgekit.model import Model, model_of
from edgekit.runtimes.header import name_from

_PRUNE_METHODS = {"parameters": "exact", "nonzero": "exact", "macs": "exact",
                  "int8_bytes": "estimated", "accuracy": "measured"}


def prune_file(source, out, *, data=None, validation=None, augment: str | None = None,
               **options) -> dict:
    """Prune a Keras file, fine-tune it where data is given, save it; `edgekit.prune`.

    `options` are those of `edgekit.prune`; the same ones give the same bytes.
    """
    if not str(out).endswith(".keras"):
        raise UsageError(f"{out}: the pruned model is saved as .keras", "give -o OUT.keras")
    if data is None and (validation is not None or augment is not None):
        raise UsageError("there is no data to train with", "give --data as well")
    from edgekit.compress import augment as augmenting
    from edgekit.compress.methods import prune
    from edgekit.compress.save import keras_bytes
    from edgekit.importers.keras import input_shapes, load
    model = load(source)
    taken, judged = (None if name is None else sources.load(name, input_shapes(model))
                     for name in (data, validation))
    matched = _matched(model, options)
    model, report = prune(model, data=taken, validation=judged, deterministic=True,
                          augment=augmenting.load(augment) if augment else None, **options)
    output.write_file(Path(out), keras_bytes(model))
    issues = [] if data else [issue("not_tuned", "no data was given: the model was not fine-tuned "
                                    "and its accuracy is not known", "give --data")]
    return document("prune", issues=issues, output=str(out), method=report.method, matched=matched,
                    layers=[asdict(layer) | {"kept": list(layer.kept)} for layer in report.layers],
                    parameters_before=report.parameters_before,
                    parameters_after=report.parameters_after, notes=list(report.notes),
                    steps=[asdict(step) for step in report.steps],
                    accuracy=report.steps[-1].accuracy,
                    accuracy_on=str(validation or data) if data else None,
                    methods=_PRUNE_METHODS)


def quantize_file(source, out, *, data, validation=None, augment: str | None = None,
                  epochs: int | None = None, seed: int = 0, learning_rate: float | None = None,
                  batch_size: int = 64, patience: int | None = None, targets: str | None = None,
                  **options) -> dict:
    """Quantize a Keras file or a .tflite and save it; `edgekit.quantize`.

    `options` are those of `edgekit.quantize`; the accuracy is judged on `validation` where it is
    given, else on `data`. For a Keras file each layer is compared with the
    float model: the file's own, or after fine-tuning the tuned one.
    """
    if not str(out).endswith(".tflite"):
        raise UsageError(f"{out}: the quantized model is saved as .tflite", "give -o OUT.tflite")
    from edgekit.compress import augment as augmentation
    from edgekit.compress.finetune import evaluate
    from edgekit.compress.quantize import quantized
    from edgekit.compress.tune import Training
    from edgekit.importers.keras import input_shapes, load
    is_tflite = str(source).endswith(".tflite")
    model = Path(source).read_bytes() if is_tflite else load(source)
    shapes = (samples.input_shapes(tflite.read(model)) if is_tflite else input_shapes(model))
    taken, judged = (None if name is None else sources.check(sources.load(name, shapes), shapes)
                     for name in (data, validation))
    how = Training(epochs, seed, learning_rate, batch_size, judged, patience,
                   augmentation.load(augment) if augment else None, targets, deterministic=True)
    found = quantized(model, taken, how, **options)
    result = model_of(found.content, name_from(Path(out).stem))
    # The reference runs int8 only: without TFLite Micro nothing is known of other models' numbers.
    runs = tflm_host.available() or not checks.unsupported(result.graph)
    accuracy, (layers, against, warnings) = None, layer_fidelity(found, result, taken, runs)
    judging = judged or taken
    if runs and judging.y is not None and judging.y.ndim == 1:
        accuracy = {"float": None if is_tflite else evaluate(model, judging),
                    "int8": int8_accuracy(result, judging), "on": judging.source,
                    "by": tflm_host.golden_name() if tflm_host.available() else "reference"}
    output.write_file(Path(out), found.content)
    issues = [issue("calibration", text) for text in (*found.warnings, *warnings)]
    if not runs:
        issues.append(issue("not_run", "the model was not run: only TensorFlow Lite Micro can",
                            "pip install 'edgekit[tflm]' on x86-64 Linux"))
    issues += [issue("out_of_range", f"{judging.source}: {text}") for text in
               samples.saturation(judging.x, result.graph)]
    return document("quantize", issues=issues, output=str(out), bytes=len(found.content),
                    method=options.get("method", "linear"), dtype=options.get("dtype", "int8"),
                    outside=options.get("outside", "int8"),
                    epochs=found.history.epochs if found.history else 0, accuracy=accuracy,
                    data=str(data), against=against, layers=layers,
                    in_scope=_in_scope(found),
                    model=model_section(result.graph, result.name, result.sha256))


def _in_scope(found) -> list[str]:
    """The layers whose weights became a codebook or int4, in the file's order."""
    return list(dict.fromkeys(kernel.layer for _, kernel in sorted(found.kernels.items())
                              if kernel.levels is not None or kernel.int4))


def _matched(model, options: dict) -> list[str] | None:
    """The layers that a scope names, None where there is no scope."""
    if options.get("scope") is None:
        return None
    from edgekit.compress import walk
    from edgekit.compress.scope import select
    return list(select(walk.layers_of(model), options["scope"]))


def layer_fidelity(found, result: Model, taken: sources.Data,
                   runs: bool = True) -> tuple[list[dict], str | None, tuple]:
    """(one entry per operator, the worst first; what it is compared with; warnings)."""
    from edgekit.compress import fidelity
    if found.model is None or not runs:
        return [asdict(one) for one in fidelity.weights_only(result, found.kernels)], None, ()
    layers = fidelity.fidelity(found.model, result, fidelity.unseen(taken.x, found.x),
                               found.kernels)
    against = "the float model" if found.history is None else (
        "the fine-tuned model, its weights already rounded")
    return [asdict(one) for one in layers], against, fidelity.saturation(layers)


def int8_accuracy(model: Model, data: sources.Data) -> float:
    """The fraction of samples that the golden (TFLM where it is) classifies as labelled.

    One output is a probability of class 1, or, where it may be negative, its logit.
    """
    outputs, tensor = int8_outputs(model, data), model.graph.tensors[model.graph.outputs[0]]
    if outputs.shape[1] > 1:
        return float(np.mean(outputs.argmax(axis=1) == data.y))
    lowest = samples.dequantize(np.iinfo(tensor.dtype.numpy).min, tensor)
    value = samples.dequantize(outputs[:, 0], tensor)
    return float(np.mean((value > (0.0 if lowest < 0 else 0.5)) == data.y))


def int8_outputs(model: Model, data: sources.Data) -> np.ndarray:
    """The golden's first output for each sample; int8 (int16 for int16x8), (samples, values)."""
    golden, index = Golden(model), model.graph.outputs[0]
    dtype, rows = model.graph.tensors[index].dtype.numpy, []
    for sample in samples.from_array(data.x, model.graph):
        golden.run(sample)
        rows.append(np.frombuffer(golden.tensor(index), dtype))
    return np.stack(rows)
