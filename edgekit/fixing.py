"""check --fix: what can be mended in a .tflite is, and proven to compute the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit import checks, output, tflite_writer
from edgekit.emulators import tflm_host
from edgekit.equality import SAMPLES, require_equal
from edgekit.errors import BadModel
from edgekit.golden import Golden
from edgekit.graph import Graph
from edgekit.model import Model, model_of
from edgekit.passes.integer_edges import float_inputs, float_outputs, integer_edges
from edgekit.passes.slim import slim
from edgekit.passes.static_shape import computed_shapes, static_shapes


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
    """The golden's name once the outputs are equal; None without any golden."""
    if not tflm_host.available() and checks.unsupported(model.graph):
        return None
    try:
        golden = Golden(model)
    except BadModel:  # TFLite Micro refuses what was mended here
        return None
    return require_equal(golden, model, fixed, "mended")
