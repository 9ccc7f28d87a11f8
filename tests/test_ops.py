"""Every operator case: reference() equals TFLM, the kernel equals reference(), bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from cases import load, samples
from conftest import require_module, require_tool
from edgekit import checks, memory, ops, pipeline, reference, tflite, tflite_writer
from edgekit.emulators import native
from edgekit.emulators.tflm_host import TflmHost
from edgekit.model import model_of
from edgekit.runtimes import aot

CASES = load()
IDS = [name for name, _ in CASES]
GRAPHS = [graph for _, graph in CASES]


@pytest.mark.parametrize("graph", GRAPHS, ids=IDS)
def test_the_written_case_reads_back_as_the_same_graph(graph):
    assert tflite.read(tflite_writer.write(graph), graph.name) == graph


@pytest.mark.parametrize("graph", GRAPHS, ids=IDS)
def test_the_case_is_accepted_and_has_the_shape_the_operator_gives(graph):
    assert checks.unsupported(graph) == []
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


WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")


@pytest.mark.parametrize("kind", ops.kinds())
def test_the_kernels_of_an_operator_equal_its_reference_and_compile_without_a_warning(kind,
                                                                                      tmp_path):
    if not native.available():
        require_tool("cc")
    graphs = [graph for graph in GRAPHS if graph.ops[0].kind == kind and memory.lower(graph)[0]]
    codes = [aot.generate(graph, memory.plan(graph), f"case_{i}", "0" * 64, "linux_host")
             for i, graph in enumerate(graphs)]
    if not codes:
        assert kind in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")  # a view has no kernel
        return
    library = native.build_library(codes, tmp_path, WARNINGS)
    for graph, code in zip(graphs, codes, strict=True):
        link = native.NativeLink(code, library)
        for sample in samples(graph):
            link.load(tuple(value.tobytes() for value in sample))
            values = reference.run(graph, sample)
            expected = tuple(values[i].tobytes() for i in graph.outputs)
            assert link.infer().outputs == expected, IDS[GRAPHS.index(graph)]


def test_every_operator_has_cases():
    assert {name.split(":")[0].upper() for name in IDS} == set(ops.kinds())


def test_an_operator_with_several_outputs_validates_on_native_code():
    require_module("tflite_micro")
    if not native.available():
        require_tool("cc")
    graph = dict(CASES)["split_v: three parts of a row"]
    verdict = pipeline.validate(model_of(tflite_writer.write(graph), "parts"), "linux_host",
                                target="native", count=3)
    assert verdict["ok"] and verdict["elements"] > 3 * graph.tensors[0].size
