"""Reading and writing .tflite files: the same graph, the same bytes, the same numbers."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

import cases
import damaged
from cases import samples
from conftest import require_models, require_module
from edgekit import checks, memory, tflite, tflite_writer
from edgekit.emulators.tflm_host import TflmHost
from edgekit.errors import BadModel
from edgekit.graph import Graph
from mutants import chain, dense, image

NETWORKS = [dense(), image(), chain()]
PUBLIC = ("hello_world_int8", "kws_ref_model", "ad01_int8", "pretrainedResnet_quant",
          "vww_96_int8")


def public_model(name: str) -> bytes:
    return (require_models() / f"{name}.tflite").read_bytes()


def outputs(data: bytes, graph: Graph) -> list[np.ndarray]:
    """TFLite Micro's outputs for seeded samples."""
    host = TflmHost(data, graph)
    return [array for sample in samples(graph, random=2) for array in host.run(sample)]


def with_constant(graph: Graph, index: int, data: bytes) -> Graph:
    tensors = list(graph.tensors)
    tensors[index] = replace(tensors[index], data=data)
    return replace(graph, tensors=tuple(tensors))


def first_weights(graph: Graph) -> int:
    return next(i for i, t in enumerate(graph.tensors) if t.data and t.dtype.value == "int8")


@pytest.mark.parametrize("graph", NETWORKS, ids=("dense", "image", "chain"))
def test_a_written_graph_reads_back_and_writes_the_same_bytes(graph):
    data = tflite_writer.write(graph)
    assert tflite.read(data, graph.name) == graph
    assert tflite_writer.write(tflite.read(data, graph.name)) == data
    assert tflite_writer.write(graph, data) == data


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_model_where_nothing_changed_is_written_byte_for_byte(name):
    data = public_model(name)
    assert tflite_writer.write(tflite.read(data), data) == data


@pytest.mark.parametrize("name", PUBLIC)
def test_constants_are_replaced_in_place(name):
    data = public_model(name)
    graph = tflite.read(data)
    index = first_weights(graph)
    first, size = tflite.read_layout(data).spans[index]
    weights = bytes(byte ^ 1 for byte in graph.tensors[index].data)
    assert tflite_writer.write(with_constant(graph, index, weights), data) == \
        data[:first] + weights + data[first + size:]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_new_file_of_a_public_model_holds_the_same_graph_and_computes_the_same(name):
    require_module("tflite_micro")
    data = public_model(name)
    graph = tflite.read(data)
    fresh = tflite_writer.write(graph)
    assert tflite.read(fresh) == graph
    for ours, theirs in zip(outputs(fresh, graph), outputs(data, graph), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_change_of_structure_gives_a_new_file():
    graph = image()
    base = tflite_writer.write(graph)
    tensors = list(graph.tensors)
    tensors[9] = replace(tensors[9], name="renamed")
    changed = replace(graph, tensors=tuple(tensors))
    written = tflite_writer.write(changed, base)
    assert written != base
    assert tflite.read(written, graph.name) == changed


def test_tensors_that_share_a_buffer_are_parted_when_one_changes():
    def two_biases(parts: damaged.Parts) -> None:
        parts.tensors.append(damaged.tensor("bias of another", (2,), dtype=2, buffer=2))

    base = damaged.changed(two_biases)
    graph = tflite.read(base)
    assert graph.tensors[2].data is graph.tensors[4].data
    changed = with_constant(graph, 2, bytes(8))
    written = tflite.read(tflite_writer.write(changed, base))
    assert written == changed
    assert written.tensors[4].data == graph.tensors[4].data


def test_buffers_behind_the_flatbuffer_are_read_and_patched():
    def external(parts: damaged.Parts) -> None:
        parts.buffers[1] = {1: ("scalar", "Q", 4096), 2: ("scalar", "Q", 8)}

    data = damaged.changed(external).ljust(4096, b"\0") + bytes(range(8))
    graph = tflite.read(data)
    assert graph.tensors[1].data == bytes(range(8))
    changed = with_constant(graph, 1, bytes(8))
    assert tflite_writer.write(changed, data) == data[:-8] + bytes(8)


def test_an_operator_with_unknown_options_cannot_be_written_anew():
    data = damaged.changed(lambda p: p.codes.__setitem__(0, damaged.code(damaged.L2_NORMALIZATION)))
    graph = tflite.read(data)
    assert tflite_writer.write(graph, data) == data
    with pytest.raises(BadModel, match="a model with L2_NORMALIZATION can only be written"):
        tflite_writer.write(replace(graph, outputs=(3, 3)), data)


def test_a_model_of_a_third_of_a_megabyte_is_read_checked_and_planned_in_tens_of_milliseconds():
    data = public_model("vww_96_int8")

    def seconds() -> float:
        start = time.process_time()
        graph = checks.require_supported(tflite.read(data))
        checks.plan_problems(graph, memory.plan(graph))
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.1



def test_a_bias_may_carry_the_axis_of_its_weights():
    """As in TFLite Micro's person_detect: scales on axis 3 of a tensor that has one axis."""
    (case,) = [graph for name, graph in cases.load()
               if name == "fully_connected: per-channel weights, relu, several rows"]
    bias = case.tensors[case.ops[0].inputs[2]]
    tensors = tuple(replace(t, quant=replace(t.quant, axis=3)) if t is bias else t
                    for t in case.tensors)
    read = tflite.read(tflite_writer.write(replace(case, tensors=tensors)), case.name)
    assert read.tensors[case.ops[0].inputs[2]].quant.axis == 0
