"""The command slim: a .tflite without what no device reads, proven to compute the same."""

from __future__ import annotations

from pathlib import Path

from edgekit import output, tflite
from edgekit.compact import slim
from edgekit.documents import document, issue
from edgekit.emulators import tflm_host
from edgekit.equality import SAMPLES
from edgekit.macs import model_section
from edgekit.model import Model, load_model
from edgekit.passes import tables
from edgekit.runtimes import tflm_arena
from edgekit.runtimes.tflm_plan import METADATA


def slim_file(source, out, *, tflm_compress: bool = False, tflm_plan: bool = False) -> dict:
    """Slim a .tflite file and save it; `edgekit.slim`. The options are those of `slim`."""
    model = load_model(Path(source))
    smaller, golden = slim(model, for_tflm=tflm_compress, planned=tflm_plan)
    output.write_file(Path(out), smaller.data)
    issues = [] if golden != "reference" else [issue(
        "golden_is_reference", "compared by edgekit's own reference, not TensorFlow Lite Micro",
        "pip install 'edgekit[tflm]' on x86-64 Linux")]
    return document("slim", output=str(out), bytes_before=len(model.data),
                    bytes_after=len(smaller.data), samples=SAMPLES, golden=golden, issues=issues,
                    compressed=_compressed(model, smaller) if tflm_compress else None,
                    plan=_plan(model, smaller) if tflm_plan else None,
                    model=model_section(smaller.graph, smaller.name, smaller.sha256))


def _compressed(model: Model, smaller: Model) -> dict:
    """Which weights became tables, and TFLite Micro's arena of both files on this PC, null without
    its wheel."""
    stored = tflite.read(smaller.data)
    arenas = _arenas(model, smaller) if tflm_host.available() else {
        "arena_before": None, "arena_after": None, "methods": {}}
    return arenas | {
        "tensors": [{"name": model.graph.tensors[packed].name,
                     "bytes_before": stored.tensors[target].nbytes,
                     "bytes_after": sum(stored.tensors[i].nbytes for i in (packed, header))}
                    for op in stored.ops if op.kind == tables.DECODE
                    for (packed, header), (target,) in ((op.inputs, op.outputs),)]}


def _plan(model: Model, smaller: Model) -> dict:
    """Whether the plan of the arena is in the file, and TFLite Micro's arena of both on this PC."""
    return {"kept": METADATA.encode() in smaller.data} | _arenas(model, smaller)


def _arenas(model: Model, smaller: Model) -> dict:
    """TFLite Micro's arena of both files, measured on this PC."""
    found = {name: tflm_arena.measure(one.data, tflite.read(one.data))
             for name, one in (("arena_before", model), ("arena_after", smaller))}
    return found | {"methods": dict.fromkeys(found, "measured")}
