"""Every operator case: reference() equals TFLM, the kernel equals reference(), bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from cases import load, samples
from conftest import require_module
from edgekit import check, ops, reference, tflite, tflite_writer
from edgekit.emulators.tflm_host import TflmHost

CASES = load()
IDS = [name for name, _ in CASES]
GRAPHS = [graph for _, graph in CASES]


@pytest.mark.parametrize("graph", GRAPHS, ids=IDS)
def test_the_written_case_reads_back_as_the_same_graph(graph):
    assert tflite.read(tflite_writer.write(graph), graph.name) == graph


@pytest.mark.parametrize("graph", GRAPHS, ids=IDS)
def test_the_case_is_accepted_and_has_the_shape_the_operator_gives(graph):
    assert check.unsupported(graph) == []
    (op,) = graph.ops
    assert ops.get(op.kind).shapes(graph, op) == tuple(t.shape for t in graph.outputs_of(op))


@pytest.mark.parametrize("graph", GRAPHS, ids=IDS)
def test_reference_equals_tensorflow_lite_micro(graph):
    require_module("tflite_micro")
    golden = TflmHost(tflite_writer.write(graph), graph)
    for sample in samples(graph):
        values = reference.run(graph, sample)
        for index, expected in zip(graph.outputs, golden.run(sample), strict=True):
            np.testing.assert_array_equal(values[index].reshape(-1), expected.reshape(-1))


def test_every_operator_has_cases():
    assert {name.split(":")[0].upper() for name in IDS} == set(ops.kinds())
