"""A smaller .tflite, proven to compute the same: without what no device reads, and with weights
as the look-up tables of TFLite Micro."""

from __future__ import annotations

from edgekit import samples, tflite, tflite_writer
from edgekit.errors import Mismatch
from edgekit.golden import Golden
from edgekit.model import Model, model_of
from edgekit.passes import tables
from edgekit.passes.slim import slim as slim_graph

SAMPLES = 10


def slim(model: Model, *, for_tflm: bool = False) -> tuple[Model, str]:
    """(the smaller model, by what it was compared on SAMPLES samples).

    `for_tflm`: a file that only TFLite Micro reads. Weights of few distinct values become look-up
    tables, where that saves a fifth of them, and equal zero points one. Such a file takes more
    RAM: the weights of one operator at a time are decoded into the arena.
    Mismatch where TFLite Micro (or the reference without it) computes another output.
    """
    graph = slim_graph(tflite.read(model.data, model.name))  # what is packed stays packed
    if for_tflm:
        graph = tables.compress(graph)
    smaller = model_of(tflite_writer.write(graph, one_zero_point=for_tflm), model.name)
    before, after = Golden(model), Golden(smaller)
    for sample in samples.default_samples(model.graph, SAMPLES):
        before.run(sample)
        after.run(sample)
        for index in model.graph.outputs:
            if before.tensor(index) != after.tensor(index):
                raise Mismatch(f"the slim model computes another '"
                               f"{model.graph.tensors[index].name}'", "please report the model")
    return smaller, before.name
