"""A smaller .tflite, proven to compute the same: without what no device reads, and with weights
as the look-up tables of TFLite Micro."""

from __future__ import annotations

from edgekit import tflite, tflite_writer
from edgekit.emulators import tflm_host
from edgekit.equality import require_equal
from edgekit.golden import Golden
from edgekit.graph import Graph
from edgekit.model import Model, model_of
from edgekit.passes import tables
from edgekit.passes.slim import slim as slim_graph
from edgekit.runtimes import tflm_arena, tflm_plan


def slim(model: Model, *, for_tflm: bool = False, planned: bool = False) -> tuple[Model, str]:
    """(the smaller model, by what it was compared on equality.SAMPLES samples).

    `for_tflm`: a file that only TFLite Micro reads. Weights of few distinct values become look-up
    tables, where that saves a fifth of them, and equal zero points one. Such a file takes more
    RAM: the weights of one operator at a time are decoded into the arena. `planned`: with a plan
    of TFLite Micro's arena, where that is smaller than what its own planner finds; NotThere
    without its wheel, which measures it.
    Mismatch where TFLite Micro (or the reference without it) computes another output.
    """
    graph = slim_graph(tflite.read(model.data, model.name))  # what is packed stays packed
    if for_tflm:
        graph = tables.compress(graph)
    data = tflite_writer.write(graph, one_zero_point=for_tflm)
    if planned:
        data = _planned(graph, data, for_tflm)
    smaller = model_of(data, model.name)
    return smaller, require_equal(Golden(model), model, smaller, "slim")


def _planned(graph: Graph, data: bytes, for_tflm: bool) -> bytes:
    """The file with a plan of the arena, or `data` where that makes the arena no smaller."""
    tflm_host.require()
    offsets = tflm_plan.offsets(graph)
    if offsets is None:
        return data
    planned = tflite_writer.write(graph, one_zero_point=for_tflm,
                                  metadata=tflm_plan.metadata(offsets))
    smaller = tflm_arena.measure(planned, graph) < tflm_arena.measure(data, graph)
    return planned if smaller else data
