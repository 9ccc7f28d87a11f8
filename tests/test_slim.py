"""Slimming: fewer bytes, the same outputs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from conftest import require_models, require_module
from edgekit import tflite_writer
from edgekit.cli import main
from edgekit.compact import slim
from edgekit.emulators.reference import ReferenceLink
from edgekit.golden import Golden
from edgekit.model import load_model, model_of
from edgekit.runtimes import tflm_arena, tflm_plan
from edgekit.samples import default_samples
from test_memory import random_graph
from tiny_graphs import all_graphs

PUBLIC = ("kws_ref_model", "pretrainedResnet_quant", "vww_96_int8", "ad01_int8",
          "hello_world_int8")


@pytest.mark.parametrize("name", sorted(all_graphs()))
def test_a_small_model_grows_nowhere_and_computes_the_same(name):
    model = model_of(tflite_writer.write(all_graphs()[name]), name)
    smaller, _ = slim(model)
    assert len(smaller.data) <= len(model.data)  # one short name may hide in the alignment
    assert [op.kind for op in smaller.graph.ops] == [op.kind for op in model.graph.ops]
    assert [smaller.graph.tensors[i].name for i in smaller.graph.inputs] == [
        model.graph.tensors[i].name for i in model.graph.inputs]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_models_lose_what_no_device_reads(name):
    require_module("tflite_micro")
    model = load_model(require_models() / f"{name}.tflite")
    smaller, golden = slim(model)
    assert len(smaller.data) < len(model.data) and golden.startswith("tflite-micro")


def test_the_command_says_what_it_saved(tmp_path, capsys):
    graph = all_graphs()["tiny_network"]
    (tmp_path / "m.tflite").write_bytes(tflite_writer.write(graph))
    assert main(["slim", str(tmp_path / "m.tflite"), "-o", str(tmp_path / "s.tflite"),
                 "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["bytes_after"] == (tmp_path / "s.tflite").stat().st_size < result["bytes_before"]


def plan_of(data: bytes, tensors: int) -> list[int]:
    """The offsets behind the metadata's name, read without the writer: the buffer's own header."""
    header = np.array([1, 0, tensors], "<i4").tobytes()
    start = data.index(header) + len(header)
    return np.frombuffer(data, "<i4", tensors, start).tolist()


def test_a_plan_is_kept_where_tflite_micros_arena_gets_smaller_and_computes_the_same(tmp_path,
                                                                                     capsys):
    require_module("tflite_micro")
    graph = random_graph(19)
    (tmp_path / "m.tflite").write_bytes(tflite_writer.write(graph))
    assert main(["slim", str(tmp_path / "m.tflite"), "-o", str(tmp_path / "p.tflite"),
                 "--tflm-plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["kept"] and plan["arena_after"] < plan["arena_before"]
    planned = load_model(tmp_path / "p.tflite")
    offsets = plan_of(planned.data, len(graph.tensors))
    assert tuple(offsets) == tflm_plan.offsets(graph)
    assert all(offset % 16 == 0 for offset in offsets)
    # Intermediate tensors are compared where nothing shares its place, plan or not.
    golden, own = Golden(planned), ReferenceLink(planned)
    sample = next(iter(default_samples(graph, 1)))
    golden.run(sample)
    own.load(tuple(value.tobytes() for value in sample))
    for op, output in zip(graph.ops, own.layers(), strict=True):
        assert golden.tensor(op.outputs[0]) == output


def test_a_plan_that_saves_nothing_is_left_out():
    require_module("tflite_micro")
    model = model_of(tflite_writer.write(random_graph(10)), "m")
    assert slim(model, planned=True)[0].data == slim(model)[0].data


def test_a_graph_that_keeps_state_has_no_plan():
    graph = random_graph(10)
    (op,) = graph.ops
    state = replace(graph, tensors=(*graph.tensors, graph.tensors[0]),
                    ops=(replace(op, inputs=(len(graph.tensors),)),))
    assert tflm_plan.offsets(graph) is not None and tflm_plan.offsets(state) is None


@pytest.mark.slow
def test_the_plan_of_vww_saves_a_quarter_of_its_tensors():
    require_module("tflite_micro")
    model = load_model(require_models() / "vww_96_int8.tflite")
    planned, _ = slim(model, planned=True)
    assert (tflm_arena.measure(model.data, model.graph)
            - tflm_arena.measure(planned.data, planned.graph)) == 73_728 - 55_296
