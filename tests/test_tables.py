"""Weights as TFLite Micro's look-up tables: smaller, the same outputs, and read back everywhere."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from conftest import require_module
from edgekit import pipeline, project, tflite, tflite_writer
from edgekit.board import load_board
from edgekit.cli import main
from edgekit.compact import slim
from edgekit.errors import BadModel, Mismatch
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.model import Model, model_of
from edgekit.passes import tables
from tflm_project import DoubledProject, clustered, little, written


def compressed() -> Model:
    return slim(model_of(written(clustered()), "clustered"), for_tflm=True)[0]


def decodes(data: bytes) -> list[Op]:
    return [op for op in tflite.read(data).ops if op.kind == tables.DECODE]


def weights(shape: tuple[int, ...], levels: int, scales: int = 1, axis: int | None = None) -> Tensor:
    rng = np.random.default_rng(levels)
    values = rng.choice(np.arange(-127, 128), levels, replace=False)[rng.integers(0, levels, shape)]
    return Tensor("w", shape, DType.INT8, Quant((0.5,) * scales, (0,) * scales, axis),
                  values.astype(np.int8).tobytes())


def one_layer(tensor: Tensor) -> Graph:
    """A dense layer with these weights."""
    graph = little()
    outputs, depth = tensor.shape
    x, y = (replace(graph.tensors[0], shape=(1, size)) for size in (depth, outputs))
    op = next(op for op in graph.ops if op.kind == "FULLY_CONNECTED")
    return Graph("layer", (x, tensor, y), (replace(op, inputs=(0, 1), outputs=(2,), index=0),),
                 (0,), (2,))


@pytest.mark.parametrize("scales", (1, 40))
@pytest.mark.parametrize("bits", range(1, 8))
def test_weights_come_back_from_tables_of_every_width(bits, scales):
    tensor = weights((40, 50), 2**bits, scales, 0 if scales > 1 else None)
    graph = one_layer(tensor)
    packed = tables.compress(graph)
    assert [op.kind for op in packed.ops].count(tables.DECODE) == (bits < 6)
    back = tables.unpack(packed)
    weight = back.tensors[back.ops[0].inputs[1]]
    assert (weight.data, weight.quant, weight.shape) == (tensor.data, tensor.quant, tensor.shape)
    found = tables.encode(tensor)
    assert found.bits == bits and found.nbytes == 250 * bits + 16 + 2**bits


def test_every_layer_has_the_tables_that_are_smallest():
    found = {tensor.name: tables.encode(tensor) for tensor in clustered().tensors
             if tensor.name in ("filters", "own", "taps", "rows")}
    assert {name: (one.bits, one.axis, one.values.shape) for name, one in found.items()} == {
        "filters": (3, None, (1, 8)), "own": (2, 0, (32, 4)), "taps": (2, None, (1, 4)),
        "rows": (3, None, (1, 8))}


def test_a_compressed_file_is_smaller_and_computes_the_same():
    model = model_of(written(clustered()), "clustered")
    smaller, golden = slim(model, for_tflm=True)
    only_slim, _ = slim(model)
    assert len(decodes(smaller.data)) == 4
    assert len(smaller.data) < 0.6 * len(only_slim.data)
    assert [op.kind for op in smaller.graph.ops] == [op.kind for op in model.graph.ops]


def test_tflite_micro_computes_with_decoded_weights_what_it_computed_before():
    require_module("tflite_micro")
    assert slim(model_of(written(clustered()), "clustered"), for_tflm=True)[1].startswith(
        "tflite-micro")


def test_tables_that_do_not_match_the_scales_are_found_before_anything_is_written(monkeypatch):
    """The kernel takes as many tables as there are scales, whatever the header says."""
    require_module("tflite_micro")
    split = tables._split

    def one_table_with_a_stride(tensors, index, found):
        header = split(tensors, index, found)
        data = bytearray(tensors[header].data)
        data[6] = found.values.shape[1]
        tensors[header] = replace(tensors[header], data=bytes(data))
        return header

    monkeypatch.setattr(tables, "_split", one_table_with_a_stride)
    monkeypatch.setattr(tables, "unpack", lambda graph: clustered())  # no help from our reader
    with pytest.raises(Mismatch, match="computes another 'output'"):
        slim(model_of(written(clustered()), "clustered"), for_tflm=True)


def test_it_is_smaller_than_what_tflite_micros_own_compressor_writes():
    require_module("tflite_micro")
    from tflite_micro.tensorflow.lite.micro.compression import compress, spec
    graph = clustered()
    by_name = {tensor.name: i for i, tensor in enumerate(graph.tensors)}
    specs = [spec.Tensor(0, by_name["own"], [spec.LookUpTableCompression(
        2, spec.PerChannel(axis=0))])]
    theirs = model_of(bytes(compress(written(graph), specs)), "clustered")
    ours = compressed()
    for found in (theirs, ours):
        assert found.graph.tensors[found.graph.ops[1].inputs[1]].data == graph.tensors[
            by_name["own"]].data
    from edgekit.golden import Golden
    from edgekit.samples import default_samples
    mine, other = Golden(ours), Golden(theirs)
    for sample in default_samples(graph, 3):
        mine.run(sample)
        other.run(sample)
        assert mine.tensor(graph.outputs[0]) == other.tensor(graph.outputs[0])
    assert len(ours.data) < len(theirs.data)


def test_aot_inspect_and_check_take_a_compressed_file(tmp_path):
    model = compressed()
    found = pipeline.inspect(model)
    assert [op["kind"] for op in found["ops"]].count(tables.DECODE) == 4
    assert found["runtimes"]["aot"]["ok"] and found["runtimes"]["tflm"]["ok"]
    assert found["model"]["parameters"] == pipeline.inspect(
        model_of(written(clustered()), "c"))["model"]["parameters"]
    for runtime in ("aot", "tflm"):
        assert pipeline.check(model, "nucleo_l4r5zi", runtime)["ok"]
        assert pipeline.validate(model, "linux_host", target="native", runtime=runtime,
                                 count=2)["ok"]


@pytest.mark.parametrize("board", ("linux_host",))
def test_a_project_of_a_compressed_model_registers_decode(tmp_path, board):
    built = DoubledProject(tmp_path, compressed().data, "clustered", board)
    assert b"resolver.AddDecode()" in built.code.files["clustered.cc"]
    cmake = built.code.files["model.cmake"].decode()
    assert all(f"    {name}\n" in cmake for name in ("decode", "decode_state", "decode_state_lut"))
    assert built.built().run() == (0, "edgekit clustered: self-test PASS\n")


def test_optimize_size_stores_the_tables_and_keeps_the_models_name_and_digest():
    model = model_of(written(clustered()), "clustered")
    board = load_board("nucleo_l4r5zi")
    size, balanced = (project.model_code(model, board, "tflm", one) for one in ("size", "balanced"))
    assert b"AddDecode" in size.files["clustered.cc"] and (
        b"AddDecode" not in balanced.files["clustered.cc"])
    assert size.model_sha256 == balanced.model_sha256 == model.sha256
    assert pipeline.profile(model, "nucleo_l4r5zi", runtime="tflm", optimize="size")["flash"][
        "weights"] == len(project.tflm_array(model, "size")) < 0.6 * len(model.data)


def test_the_command_says_what_the_tables_cost(tmp_path, capsys):
    require_module("tflite_micro")
    (tmp_path / "m.tflite").write_bytes(written(clustered()))
    assert main(["slim", str(tmp_path / "m.tflite"), "-o", str(tmp_path / "s.tflite"),
                 "--tflm-compress", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["bytes_after"] == (tmp_path / "s.tflite").stat().st_size
    found = result["compressed"]
    assert found["arena_after"] > found["arena_before"] > 0
    assert {one["name"]: one["bytes_before"] for one in found["tensors"]} == {
        "filters": 2304, "own": 1024, "taps": 800, "rows": 768}
    assert all(one["bytes_after"] < 0.6 * one["bytes_before"] for one in found["tensors"])


def test_a_single_zero_point_is_written_for_tflite_micro_alone():
    graph = clustered()
    short = tflite_writer.write(graph, one_zero_point=True)
    assert len(short) <= len(written(graph)) - 700  # 3 times 31 of 8 bytes, less alignment
    assert tflite.read(short, graph.name) == graph


@pytest.mark.parametrize("place, value, reason", (
    (0, 1, "compression type 1"), (1, 2, "version 2.1"), (4, 9, "version 1.9"),
    (5, 0xF0, "indices of 0 bits"), (5, 0xF7, "too few"), (6, 200, "outside its table")))
def test_tables_that_tflite_micro_would_read_wrongly_are_refused(place, value, reason):
    graph = tables.compress(one_layer(weights((40, 50), 8, 40, 0)))
    header = graph.ops[0].inputs[1]
    data = bytearray(graph.tensors[header].data)
    data[place] = value
    bad = replace(graph, tensors=tuple(replace(tensor, data=bytes(data)) if i == header else tensor
                                       for i, tensor in enumerate(graph.tensors)))
    with pytest.raises(BadModel, match=reason):
        model_of(tflite_writer.write(bad), "m")


def test_a_decode_of_something_computed_or_without_its_tables_is_refused():
    graph = tables.compress(one_layer(weights((40, 50), 8)))
    op = graph.ops[0]
    for inputs in ((op.inputs[0],), (0, op.inputs[1]), (op.inputs[0], -1)):
        with pytest.raises(BadModel, match="TFLM_DECODE"):
            tables.unpack(replace(graph, ops=(replace(op, inputs=inputs), *graph.ops[1:])))


def test_weights_that_another_operator_reads_as_they_are_stay():
    graph = one_layer(weights((40, 40), 4))
    both = replace(graph.ops[0], inputs=(1, 1), outputs=(2,))
    assert tables.compress(replace(graph, ops=(both,))).ops == (both,)


def test_two_readers_of_the_same_weights_decode_them_each():
    graph = one_layer(weights((40, 40), 4))
    more = (*graph.tensors, replace(graph.tensors[2], name="z"))
    second = replace(graph.ops[0], inputs=(2, 1), outputs=(3,), index=1)
    packed = tables.compress(replace(graph, tensors=more, ops=(graph.ops[0], second),
                                     outputs=(3,)))
    assert [op.kind for op in packed.ops] == [tables.DECODE, "FULLY_CONNECTED"] * 2
    assert slim(model_of(tflite_writer.write(packed), "m"))[0]
