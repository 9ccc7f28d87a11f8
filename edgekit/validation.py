"""Does a target compute the golden's numbers: every output byte, and intermediate tensors too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgekit import log
from edgekit.checks import part
from edgekit.documents import document, issue
from edgekit.errors import UsageError
from edgekit.golden import Golden
from edgekit.graph import Graph, Tensor
from edgekit.link import ChecksumLink, Inference, Link
from edgekit.macs import model_section
from edgekit.measurement import Measured, device_section, measured
from edgekit.model import Model
from edgekit.samples import Sample

# A wrong rounding may show in one element of a thousand: a handful of samples would miss it.
LAYER_SAMPLES = 100
# Over a wire that compares checksums: a board has to load the input again for most operators.
LAYER_SAMPLES_ON_A_WIRE = 5


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
    """What was compared and what differed; `worst` is the largest difference of one element.

    `device` is what a device measured of itself.
    """

    target: str
    golden: str
    samples: int
    elements: int
    mismatches: int
    worst: float
    first: Difference | None
    accuracy: float | None = None
    device: Measured = Measured()

    @property
    def ok(self) -> bool:
        return self.mismatches == 0


def validate(model: Model, link: Link, samples: Sequence[Sample],
             labels: np.ndarray | None = None, golden: Golden | None = None,
             compiled: Graph | None = None) -> Verdict:
    """Run every sample on `link` and on the golden.

    `compiled` is the graph that the target computes, where that is not the model's own.

    Outputs are compared on all samples, every stored intermediate tensor on the first
    LAYER_SAMPLES: outputs alone saturate and hide errors. Of a later sample whose outputs
    differ the intermediate tensors are looked at too, for the first wrong operator.
    """
    if not samples:
        raise UsageError("there is nothing to validate with: 0 samples", "give --samples 1 or more")
    golden, compiled = golden or Golden(model), compiled or model.graph
    verdict = Verdict(link.hello().where, golden.name, len(samples), 0, 0, 0, None)
    producers = {i: op for op in model.graph.ops for i in op.outputs}
    limit = LAYER_SAMPLES_ON_A_WIRE if isinstance(link, ChecksumLink) else LAYER_SAMPLES
    right = 0
    runs: list[Inference] = []
    for number, sample in enumerate(samples):
        golden.run(sample)
        inputs = tuple(np.ascontiguousarray(value).tobytes() for value in sample)
        link.load(inputs)
        # Layers first: they come in order, so the first difference is the earliest operator.
        if number < limit:
            verdict = _layers(verdict, compiled, link, number, golden)
            link.load(inputs)
        runs.append(link.infer(count=number < limit and isinstance(link, ChecksumLink)))
        results, before = runs[-1].outputs, verdict
        for tensor, got in zip(model.graph.outputs, results, strict=True):
            verdict = _compare(verdict, model.graph, number, producers[tensor], tensor, golden, got)
        if number >= limit and before.ok and not verdict.ok:
            link.load(inputs)
            found = _layers(before, compiled, link, number, golden).first
            verdict = replace(verdict, first=found or verdict.first)
        if labels is not None:
            right += _decision(model.graph, results[0]) == labels[number]
        log.progress("validate", number + 1, len(samples))
    return replace(verdict, device=measured(runs),
                   accuracy=None if labels is None else float(right) / len(samples))


def _layers(verdict: Verdict, graph: Graph, link: Link, number: int, golden: Golden) -> Verdict:
    """The verdict with every stored output of an operator compared on the loaded sample."""
    if isinstance(link, ChecksumLink):
        # NAME_op_output() is an operator's first output; the others are seen where they are read.
        outputs = link.layers_like([b"".join(_wanted(graph, golden, i) for i in op.outputs[:1])
                                    for op in graph.file_ops])
    else:
        outputs = link.layers()
    for op, got in zip(graph.file_ops, outputs, strict=True):
        for tensor, data in _split(graph, op.outputs, got):
            verdict = _compare(verdict, graph, number, op, tensor, golden, data)
    return verdict


def _wanted(graph: Graph, golden: Golden, index: int) -> bytes:
    """The golden's bytes of what the target stores of a tensor."""
    tensor, data = graph.tensors[index], golden.tensor(index)
    if tensor.channels is None:
        return data
    value = np.frombuffer(data, tensor.dtype.numpy).reshape(*tensor.shape[:-1], -1)
    return part(tensor, value).tobytes()


def _element(tensor: Tensor, number: int, elements: int) -> int:
    """The file's number of an element of what is stored; the file has `elements`."""
    if tensor.channels is None:
        return number
    pixel, channel = divmod(number, len(tensor.channels))
    return pixel * (elements * len(tensor.channels) // tensor.size) + tensor.channels[channel]


def _split(graph: Graph, tensors: tuple[int, ...], data: bytes | None):
    """(tensor, its bytes) of an operator's outputs, which a link gives one behind the other; some
    links give the first alone."""
    if data is None:
        return
    start = 0
    for tensor in tensors:
        size = graph.tensors[tensor].nbytes
        if tensor != tensors[0] and start == len(data):
            return
        yield tensor, data[start:start + size]
        start += size


def _compare(verdict: Verdict, graph: Graph, sample: int, op, index: int, golden: Golden,
             data: bytes) -> Verdict:
    tensor = graph.tensors[index]
    want = np.frombuffer(_wanted(graph, golden, index), tensor.dtype.numpy)
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
    first = verdict.first or Difference(sample, op.index, op.kind, tensor.name,
                                        _element(tensor, int(wrong[0]), len(golden.tensor(index))
                                                 // tensor.dtype.itemsize),
                                        want[wrong[0]].item(), got[wrong[0]].item())
    return replace(verdict, mismatches=verdict.mismatches + wrong.size, first=first,
                   worst=max(verdict.worst, float(difference)))


def _decision(graph: Graph, output: bytes) -> int:
    """The class an output says: its largest element."""
    return int(np.frombuffer(output, graph.tensors[graph.outputs[0]].dtype.numpy).argmax())


def verdict_document(verdict: Verdict, model: Model, board: str, runtime: str,
                     issues: Sequence[dict] = (), kernels: Sequence[str] = ()) -> dict:
    """`edgekit.validate`; `kernels` are the names of each operator's, where they are known."""
    found = list(issues)
    if verdict.golden == "reference":
        found.append(issue("golden_is_reference", "the golden is edgekit's own reference, not "
                           "TensorFlow Lite Micro", "pip install 'edgekit[tflm]' on x86-64 Linux"))
    first = None if verdict.first is None else {
        name: getattr(verdict.first, name) for name in Difference.__slots__}
    if first is not None:
        first["kernel"] = kernels[first["op"]] if kernels else None
    worst = int(verdict.worst) if float(verdict.worst).is_integer() else verdict.worst
    return document("validate", issues=found, target=verdict.target, board=board, runtime=runtime,
                    model=model_section(model.graph, model.name, model.sha256),
                    golden=verdict.golden, samples=verdict.samples, elements=verdict.elements,
                    mismatches=verdict.mismatches, worst=worst, first=first,
                    accuracy=verdict.accuracy, ok=verdict.ok,
                    device=device_section(verdict.device, model.graph, kernels))

