"""Does a target compute the golden's numbers: every output byte, and intermediate tensors too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgekit import log
from edgekit.documents import document, issue
from edgekit.errors import UsageError
from edgekit.golden import Golden
from edgekit.graph import Graph
from edgekit.link import Link
from edgekit.macs import model_section
from edgekit.model import Model
from edgekit.samples import Sample

# A wrong rounding may show in one element of a thousand: a handful of samples would miss it.
LAYER_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """The first wrong element: operator of the .tflite, tensor name, flat element index."""

    sample: int
    op: int
    kind: str
    tensor: str
    element: int
    expected: int | float
    got: int | float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared and what differed; `worst` is the largest difference of one element."""

    target: str
    golden: str
    samples: int
    elements: int
    mismatches: int
    worst: float
    first: Difference | None
    accuracy: float | None = None

    @property
    def ok(self) -> bool:
        return self.mismatches == 0


def validate(model: Model, link: Link, samples: Sequence[Sample],
             labels: np.ndarray | None = None, golden: Golden | None = None) -> Verdict:
    """Run every sample on `link` and on the golden.

    Outputs are compared on all samples, every stored intermediate tensor on the first
    LAYER_SAMPLES: outputs alone saturate and hide errors.
    """
    if not samples:
        raise UsageError("there is nothing to validate with: 0 samples", "give --samples 1 or more")
    golden = golden or Golden(model)
    verdict = Verdict(link.hello().where, golden.name, len(samples), 0, 0, 0, None)
    producers = {i: op for op in model.graph.ops for i in op.outputs}
    right = 0
    for number, sample in enumerate(samples):
        golden.run(sample)
        link.load(tuple(np.ascontiguousarray(value).tobytes() for value in sample))
        # Layers first: they come in order, so the first difference is the earliest operator.
        if number < LAYER_SAMPLES:
            outputs = link.layers()
            for op, got in zip(model.graph.ops, outputs, strict=True):
                for tensor, part in _split(model.graph, op.outputs, got):
                    verdict = _compare(verdict, model.graph, number, op, tensor, golden, part)
            link.load(tuple(np.ascontiguousarray(value).tobytes() for value in sample))
        results = link.infer().outputs
        for tensor, got in zip(model.graph.outputs, results, strict=True):
            verdict = _compare(verdict, model.graph, number, producers[tensor], tensor, golden, got)
        if labels is not None:
            right += _decision(model.graph, results[0]) == labels[number]
        log.progress("validate", number + 1, len(samples))
    return verdict if labels is None else replace(verdict, accuracy=float(right) / len(samples))


def _split(graph: Graph, tensors: tuple[int, ...], data: bytes | None):
    """(tensor, its bytes) of an operator's outputs, which a link gives one behind the other."""
    if data is None:
        return
    start = 0
    for tensor in tensors:
        size = graph.tensors[tensor].nbytes
        yield tensor, data[start:start + size]
        start += size


def _compare(verdict: Verdict, graph: Graph, sample: int, op, index: int, golden: Golden,
             data: bytes) -> Verdict:
    tensor = graph.tensors[index]
    want = np.frombuffer(golden.tensor(index), tensor.dtype.numpy)
    got = np.frombuffer(data, tensor.dtype.numpy)
    if got.size != want.size:
        raise UsageError(f"the target gave {got.size} elements of '{tensor.name}', "
                         f"the golden has {want.size}")
    wrong = np.flatnonzero(want.view(f"V{tensor.dtype.itemsize}")
                           != got.view(f"V{tensor.dtype.itemsize}"))
    verdict = replace(verdict, elements=verdict.elements + want.size)
    if not wrong.size:
        return verdict
    difference = np.abs(want.astype(np.float64) - got.astype(np.float64)).max()
    first = verdict.first or Difference(sample, op.index, op.kind, tensor.name, int(wrong[0]),
                                        want[wrong[0]].item(), got[wrong[0]].item())
    return replace(verdict, mismatches=verdict.mismatches + wrong.size, first=first,
                   worst=max(verdict.worst, float(difference)))


def _decision(graph: Graph, output: bytes) -> int:
    """The class an output says: its largest element."""
    return int(np.frombuffer(output, graph.tensors[graph.outputs[0]].dtype.numpy).argmax())


def verdict_document(verdict: Verdict, model: Model, board: str, runtime: str,
                     issues: Sequence[dict] = ()) -> dict:
    """`edgekit.validate`."""
    found = list(issues)
    if verdict.golden == "reference":
        found.append(issue("golden_is_reference", "the golden is edgekit's own reference, not "
                           "TensorFlow Lite Micro", "pip install 'edgekit[tflm]' on x86-64 Linux"))
    first = None if verdict.first is None else {
        name: getattr(verdict.first, name) for name in Difference.__slots__}
    worst = int(verdict.worst) if float(verdict.worst).is_integer() else verdict.worst
    return document("validate", issues=found, target=verdict.target, board=board, runtime=runtime,
                    model=model_section(model.graph, model.name, model.sha256),
                    golden=verdict.golden, samples=verdict.samples, elements=verdict.elements,
                    mismatches=verdict.mismatches, worst=worst, first=first,
                    accuracy=verdict.accuracy, ok=verdict.ok)
