"""The command slim: a .tflite without what no device reads, proven to compute the same."""

from __future__ import annotations

from pathlib import Path

from edgekit import output, samples, tflite_writer
from edgekit.documents import document, issue
from edgekit.errors import Mismatch
from edgekit.golden import Golden
from edgekit.macs import model_section
from edgekit.model import Model, load_model, model_of
from edgekit.passes.slim import slim as slim_graph

SAMPLES = 10


def slim(model: Model) -> tuple[Model, str]:
    """(the smaller model, by what it was compared on SAMPLES samples).

    Mismatch where TFLite Micro (or the reference without it) computes another output.
    """
    smaller = model_of(tflite_writer.write(slim_graph(model.graph)), model.name)
    before, after = Golden(model), Golden(smaller)
    for sample in samples.default_samples(model.graph, SAMPLES):
        before.run(sample)
        after.run(sample)
        for index in model.graph.outputs:
            if before.tensor(index) != after.tensor(index):
                raise Mismatch(f"the slim model computes another '"
                               f"{model.graph.tensors[index].name}'", "please report the model")
    return smaller, before.name


def slim_file(source, out) -> dict:
    """Slim a .tflite file and save it; `edgekit.slim`."""
    model = load_model(Path(source))
    smaller, golden = slim(model)
    output.write_file(Path(out), smaller.data)
    issues = [] if golden != "reference" else [issue(
        "golden_is_reference", "compared by edgekit's own reference, not TensorFlow Lite Micro",
        "pip install 'edgekit[tflm]' on x86-64 Linux")]
    return document("slim", output=str(out), bytes_before=len(model.data),
                    bytes_after=len(smaller.data), samples=SAMPLES, golden=golden, issues=issues,
                    model=model_section(smaller.graph, smaller.name, smaller.sha256))
