"""Slimming: fewer bytes, the same outputs."""

from __future__ import annotations

import json

import pytest

from conftest import require_models, require_module
from edgekit import tflite_writer
from edgekit.cli import main
from edgekit.model import load_model, model_of
from edgekit.slimming import slim
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
