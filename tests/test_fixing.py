"""The model doctor: causes recognised before code is generated, and what check --fix mends."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from conftest import require_module
from edgekit import tflite_writer
from edgekit.cli import main
from edgekit.errors import BadModel
from edgekit.fixing import fix
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.model import load_model, model_of
from edgekit.passes.integer_edges import integer_edges
from edgekit.passes.live import live
from edgekit.passes.static_shape import static_shapes
from edgekit.symptoms import symptoms
from tiny_graphs import all_graphs, quant


def kinds(graph: Graph) -> list[str]:
    return [one.kind for one in symptoms(graph, 0)]


def with_float_edges() -> Graph:
    """tiny_network with QUANTIZE in front and DEQUANTIZE behind, as converters leave it."""
    graph = all_graphs()["tiny_network"]
    count = len(graph.tensors)
    (source,), (target,) = graph.inputs, graph.outputs
    tensors = (*graph.tensors, Tensor("real_in", graph.tensors[source].shape, DType.FLOAT32),
               Tensor("real_out", graph.tensors[target].shape, DType.FLOAT32))
    ops = (Op("QUANTIZE", (count,), (source,)), *graph.ops,
           Op("DEQUANTIZE", (target,), (count + 1,)))
    return replace(graph, tensors=tensors, inputs=(count,), outputs=(count + 1,),
                   ops=tuple(replace(op, index=i) for i, op in enumerate(ops)))


def with_computed_shape() -> Graph:
    """x -> RESHAPE to a shape that SHAPE, STRIDED_SLICE and PACK compute."""
    ints, q = {"dtype": DType.INT32, "quant": None}, quant(0.1, 0)
    tensors = (Tensor("x", (1, 2, 3), DType.INT8, q), Tensor("shape", (3,), **ints),
               Tensor("batch", (), **ints), Tensor("wanted", (2,), **ints),
               Tensor("y", (1, 6), DType.INT8, q))
    return Graph("flat", tensors, (
        Op("SHAPE", (0,), (1,)), Op("STRIDED_SLICE", (1,), (2,), index=1),
        Op("PACK", (2,), (3,), index=2), Op("RESHAPE", (0, 3), (4,), index=3)), (0,), (4,))


def hybrid(kind: str) -> Graph:
    shape = {"CONV_2D": (2, 1, 1, 3), "FULLY_CONNECTED": (2, 3)}[kind]
    from edgekit import ops
    tensors = (Tensor("x", (1, 4, 4, 3) if len(shape) == 4 else (1, 3), DType.FLOAT32),
               Tensor("w", shape, DType.INT8, Quant((0.1,), (0,)), bytes(6)),
               Tensor("b", (2,), DType.FLOAT32, data=bytes(8)),
               Tensor("y", (1, 4, 4, 2) if len(shape) == 4 else (1, 2), DType.FLOAT32))
    op = Op(kind, (0, 1, 2), (3,), ops.get(kind).Options(), 1)
    return Graph("hybrid", tensors, (op,), (0,), (3,))


def test_a_computed_shape_becomes_the_constant_it_is():
    fixed = static_shapes(with_computed_shape())
    assert [op.kind for op in fixed.ops] == ["RESHAPE"]
    assert fixed.inputs_of(fixed.ops[0])[1].array.tolist() == [1, 6]
    assert [t.name for t in fixed.tensors] == ["x", "y", "shape_of_3"]


def test_live_keeps_what_writes_state_and_drops_what_nobody_reads():
    graph = with_computed_shape()
    state = Op("ASSIGN_VARIABLE", (1, 2), (), index=4)
    kept = live(replace(graph, ops=(*graph.ops[:2], state), outputs=(0,)))
    assert [op.kind for op in kept.ops] == ["SHAPE", "STRIDED_SLICE", "ASSIGN_VARIABLE"]
    assert [t.name for t in kept.tensors] == ["x", "shape", "batch"]


def test_edges_become_integer_and_keep_their_names():
    fixed = integer_edges(with_float_edges())
    assert [op.kind for op in fixed.ops] == [op.kind for op in all_graphs()["tiny_network"].ops]
    ports = [fixed.tensors[i] for i in (*fixed.inputs, *fixed.outputs)]
    assert [(t.name, t.dtype) for t in ports] == [("real_in", DType.INT8),
                                                   ("real_out", DType.INT8)]


def test_an_edge_that_others_read_too_stays_float():
    graph = with_float_edges()
    both = replace(graph, outputs=(*graph.outputs, graph.ops[-1].inputs[0]))
    assert [both.tensors[i].dtype for i in integer_edges(both).outputs] == [DType.FLOAT32,
                                                                            DType.INT8]
    twice = replace(graph, ops=(*graph.ops, Op("QUANTIZE", graph.inputs, (0,))))
    assert integer_edges(twice).inputs == twice.inputs


def test_each_cause_is_recognised_by_its_name():
    assert kinds(with_float_edges()) == ["float_edges"]
    assert kinds(with_computed_shape()) == ["dynamic_batch"]
    assert kinds(hybrid("CONV_2D")) == ["dynamic_range"]
    assert kinds(all_graphs()["tiny_network"]) == []
    loop = with_computed_shape()
    assert kinds(replace(loop, ops=(Op("WHILE", (0,), (4,)),))) == ["rolled_loop"]
    floats = replace(loop, tensors=tuple(replace(t, dtype=DType.FLOAT32, quant=None)
                                         if t.quant else t for t in loop.tensors))
    assert "float_model" in kinds(floats)
    uint8 = all_graphs()["two_inputs"]
    assert "uint8_model" in kinds(replace(uint8, tensors=tuple(
        replace(t, dtype=DType.UINT8) for t in uint8.tensors)))


@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED"])
def test_tflite_micro_agrees_that_a_hybrid_operator_cannot_run(kind):
    require_module("tflite_micro")
    from edgekit.emulators.tflm_host import TflmHost
    graph = hybrid(kind)
    assert [one.blocks for one in symptoms(graph, 0)] == [("aot", "tflm")]
    with pytest.raises(BadModel, match="refuses"):
        TflmHost(tflite_writer.write(graph), graph)


def test_a_mended_model_computes_the_same(tmp_path, capsys):
    path, out = tmp_path / "m.tflite", tmp_path / "fixed.tflite"
    path.write_bytes(tflite_writer.write(with_float_edges()))
    code = main(["check", str(path), "--board", "nucleo_l4r5zi", "--runtime", "aot", "--fix", "-o",
                 str(out), "--json"])
    result = json.loads(capsys.readouterr().out)
    assert code == 0 and result["problems"] == [] and result["issues"] == []
    assert result["fixed"]["samples"] == 10 and result["fixed"]["golden"]
    assert len(result["fixed"]["changes"]) == 2 and out.stat().st_size < path.stat().st_size
    assert load_model(out).graph.tensors[0].dtype is DType.INT8


def test_a_sound_model_is_given_back_as_it_is(tmp_path, capsys):
    from edgekit.passes.slim import slim
    data = tflite_writer.write(slim(all_graphs()["two_inputs"]))
    fixed, changes, golden = fix(model_of(data, "m"))
    assert fixed.data == data and changes == [] and golden is None


def test_fix_and_its_file_go_together(tmp_path, capsys):
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite_writer.write(all_graphs()["two_inputs"]))
    assert main(["check", str(path), "--board", "esp32c3", "--fix"]) == 2
    assert main(["check", str(path), "--board", "esp32c3", "-o", "x.tflite"]) == 2
    assert "go together" in capsys.readouterr().err


def test_a_converters_dynamic_batch_and_float_edges_are_mended(tmp_path):
    require_module("tensorflow")
    require_module("tflite_micro")
    import keras
    import tensorflow as tf
    x = keras.Input((8, 8, 1))
    y = keras.layers.Conv2D(4, 3, activation="relu")(x)
    model = keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(y)))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    random = np.random.default_rng(1)
    converter.representative_dataset = lambda: (
        [random.random((1, 8, 8, 1), np.float32)] for _ in range(10))
    before = model_of(converter.convert(), "m")
    assert {"dynamic_batch", "float_edges"} <= {one.kind for one in symptoms(
        before.graph, len(before.data))}
    fixed, changes, golden = fix(before)
    assert [op.kind for op in fixed.graph.ops] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
    assert len(changes) == 3 and golden.startswith("tflite-micro")
