"""The commands prune and quantize: files in, files out, one document about what was done."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from edgekit import data as sources
from edgekit import output, samples
from edgekit.documents import document
from edgekit.emulators import tflm_host
from edgekit.errors import UsageError
from edgekit.golden import Golden
from edgekit.macs import model_section
from edgekit.model import Model, model_of
from edgekit.runtimes.header import name_from


def prune_file(source, out, *, method: str = "l1", scope=None, rate: float | None = None,
               threshold: float | None = None, granularity: int = 1, data=None, epochs: int = 6,
               seed: int = 0) -> dict:
    """Prune a Keras file, fine-tune it where data is given, save it; `edgekit.prune`."""
    if not str(out).endswith(".keras"):
        raise UsageError(f"{out}: the pruned model is saved as .keras", "give -o OUT.keras")
    from edgekit.compress.finetune import evaluate, finetune
    from edgekit.compress.prune import prune
    from edgekit.importers.keras import load
    model, report = prune(load(source), method, scope, rate, threshold, granularity)
    accuracy = None
    if data is not None:
        taken = sources.load(data, tuple(model.inputs[0].shape[1:]))
        model, _ = finetune(model, taken, epochs, seed)
        accuracy = evaluate(model, taken) if taken.y is not None and taken.y.ndim == 1 else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        output.write_file(Path(out), path.read_bytes())
    return document("prune", output=str(out), method=report.method,
                    layers=[asdict(layer) | {"kept": list(layer.kept)} for layer in report.layers],
                    parameters_before=report.parameters_before,
                    parameters_after=report.parameters_after, notes=list(report.notes),
                    accuracy=accuracy)


def quantize_file(source, out, *, data) -> dict:
    """Quantize a Keras file or float .tflite to int8 and save it; `edgekit.quantize`."""
    if not str(out).endswith(".tflite"):
        raise UsageError(f"{out}: the quantized model is saved as .tflite", "give -o OUT.tflite")
    from edgekit.compress.finetune import evaluate
    from edgekit.compress.quantize import quantize
    from edgekit.importers.keras import load
    is_tflite = str(source).endswith(".tflite")
    model = Path(source).read_bytes() if is_tflite else load(source)
    taken = sources.load(data, None if is_tflite else tuple(model.inputs[0].shape[1:]))
    quantized = quantize(model, taken)
    result = model_of(quantized, name_from(Path(out).stem))
    accuracy = None
    if not is_tflite and taken.y is not None and taken.y.ndim == 1:
        accuracy = {"float": evaluate(model, taken), "int8": int8_accuracy(result, taken),
                    "by": tflm_host.golden_name() if tflm_host.available() else "reference"}
    output.write_file(Path(out), quantized)
    return document("quantize", output=str(out), bytes=len(quantized), accuracy=accuracy,
                    model=model_section(result.graph, result.name, result.sha256))


def int8_accuracy(model: Model, data: sources.Data) -> float:
    """The fraction of samples that the golden (TFLM where it is) classifies as labelled."""
    golden, right = Golden(model), 0
    output_dtype = model.graph.tensors[model.graph.outputs[0]].dtype.numpy
    for sample, label in zip(samples.from_array(data.x, model.graph), data.y, strict=True):
        golden.run(sample)
        values = np.frombuffer(golden.tensor(model.graph.outputs[0]), output_dtype)
        right += int(values.argmax()) == label
    return right / len(data.y)
