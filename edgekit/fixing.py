"""check --fix: what can be mended in a .tflite is, and proven to compute the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgekit import checks, output, samples, tflite_writer
from edgekit.emulators import tflm_host
from edgekit.errors import BadModel, Mismatch
from edgekit.golden import Golden
from edgekit.graph import DType, Graph, Tensor
from edgekit.model import Model, model_of
from edgekit.passes.integer_edges import float_inputs, float_outputs, integer_edges
from edgekit.passes.slim import slim
from edgekit.passes.static_shape import computed_shapes, static_shapes

SAMPLES = 10


def fix(model: Model) -> tuple[Model, list[str], str | None]:
    """(the mended model, what was changed, by what it was compared; None where nothing could).

    BadModel where the file holds operators whose options edgekit cannot write again; Mismatch
    where the mended model computes other outputs.
    """
    graph, changes = model.graph, []
    for describe, mend in _MENDS:
        if said := describe(graph):
            changes.append(said)
            graph = mend(graph)
    data = tflite_writer.write(slim(graph))
    if len(data) < len(model.data):
        changes.append(f"{len(model.data):,} -> {len(data):,} bytes: names, signatures and "
                       "metadata that no device reads")
    if not changes:
        return model, [], None
    fixed = model_of(data, model.name)
    return fixed, changes, _compared(model, fixed)


def fix_file(model: Model, out) -> tuple[Model, dict]:
    """Save the mended model; (it, the section `fixed` of the document of check)."""
    fixed, changes, golden = fix(model)
    output.write_file(Path(out), fixed.data)
    return fixed, {"output": str(out), "changes": changes, "bytes_before": len(model.data),
                   "bytes_after": len(fixed.data), "samples": SAMPLES if golden else 0,
                   "golden": golden}


def _shapes(graph: Graph) -> str:
    ops = computed_shapes(graph)
    return ops and f"{len(ops)} shape{'s' * (len(ops) > 1)} computed at run time made constant, " \
        "with the batch at 1" or ""


def _edges(graph: Graph) -> str:
    ports = [*float_inputs(graph), *float_outputs(graph)]
    return ports and ", ".join(f"'{graph.tensors[i].name}'" for i in ports) + \
        " made integer: the float conversion at the edge is gone" or ""


_MENDS: tuple[tuple[Callable[[Graph], str], Callable[[Graph], Graph]], ...] = (
    (_shapes, static_shapes), (_edges, integer_edges))


def _compared(model: Model, fixed: Model) -> str | None:
    """The golden's name once the outputs of SAMPLES samples are equal; None without any golden."""
    if not tflm_host.available() and checks.unsupported(model.graph):
        return None
    try:
        before = Golden(model)
    except BadModel:  # TFLite Micro refuses what was mended here
        return None
    after = Golden(fixed)
    for sample in samples.default_samples(fixed.graph, SAMPLES):
        ports = zip(sample, model.graph.inputs, fixed.graph.inputs, strict=True)
        before.run(tuple(_given(value, model.graph.tensors[old], fixed.graph.tensors[new])
                         for value, old, new in ports))
        after.run(sample)
        for old, new in zip(model.graph.outputs, fixed.graph.outputs, strict=True):
            told = _given(np.frombuffer(after.tensor(new), fixed.graph.tensors[new].dtype.numpy),
                          model.graph.tensors[old], fixed.graph.tensors[new])
            if told.tobytes() != before.tensor(old):
                raise Mismatch(f"the mended model computes another "
                               f"'{model.graph.tensors[old].name}'", "please report the model")
    return before.name


def _given(value: np.ndarray, old: Tensor, new: Tensor) -> np.ndarray:
    """An integer value of the mended model's edge as the old model has it there."""
    if old.dtype is DType.FLOAT32 and new.dtype is not DType.FLOAT32:
        return samples.dequantize(value, new)
    return value
