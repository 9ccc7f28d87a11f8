"""A float .tflite in: quantized by litert-quantizer, its layers known by the model's own names."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import require_module
from keras_nets import keras
from test_compress_quantize import float_tflite, stripes, tflm

from edgekit import tflite
from edgekit.cli import main
from edgekit.compress.finetune import evaluate, finetune
from edgekit.compress.layer_names import layer_names, renamed
from edgekit.compress.quantize import quantize
from edgekit.errors import BadModel
from edgekit.graph import DType

FUSED = ["net/relu/Relu;net/norm/batchnorm/mul_1;net/stem/convolution", "net/b1_1/depthwise1",
         "net/re_lu/Relu;net/sub1_1/convolution", "net/head_1/MatMul2"]


def named_net():
    L = keras().layers
    return keras().Sequential([
        keras().Input((8, 8, 1)), L.Conv2D(12, 3, padding="same", name="stem"),
        L.BatchNormalization(), L.ReLU(), L.DepthwiseConv2D(3, name="b1"), L.MaxPooling2D(),
        L.Conv2D(12, 1, activation="relu", name="sub1"), L.Flatten(),
        L.Dense(3, activation="softmax", name="head")])


@pytest.fixture(scope="module")
def net():
    require_module("litert_quantizer")
    keras().utils.set_random_seed(0)
    return named_net()


@pytest.fixture(scope="module")
def content(net, tmp_path_factory):
    return float_tflite(net, tmp_path_factory.mktemp("saved"))


def test_a_layer_is_the_part_that_computes_with_its_weights():
    assert layer_names(FUSED) == ["stem", "b1_1", "sub1_1", "head_1"]
    assert layer_names(["a/conv/Conv2D", "b/conv/Conv2D"]) == ["a/conv/Conv2D", "b/conv/Conv2D"]
    assert layer_names(["tensor_7"]) == ["tensor_7"]


def test_whole_names_of_outputs_are_patterns_too():
    names = dict(zip(FUSED, layer_names(FUSED), strict=True))
    assert renamed(f"!{FUSED[0]},b1*", names) == ["!stem", "b1*"]
    assert renamed(None, names) is None and renamed([2, FUSED[3]], names) == [2, "head_1"]


def test_a_scope_takes_the_layer_that_it_names_and_not_those_that_contain_it(
        content, tmp_path, capsys):
    require_module("litert_quantizer")
    data = stripes(64, 0)
    (tmp_path / "f.tflite").write_bytes(content)
    np.savez(tmp_path / "d.npz", x=data.x)
    assert main(["quantize", str(tmp_path / "f.tflite"), "-o", str(tmp_path / "q.tflite"), "--data",
                 str(tmp_path / "d.npz"), "--weights", "b1*=int4", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [name.removesuffix("_1") for name in result["in_scope"]] == ["b1"]
    graph = tflite.read((tmp_path / "q.tflite").read_bytes())
    assert [graph.tensors[op.inputs[1]].dtype is DType.INT4 for op in graph.ops
            if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")] == [
                False, True, False, False]


def test_an_unknown_layer_is_answered_with_the_models_names(content, tmp_path, capsys):
    (tmp_path / "f.tflite").write_bytes(content)
    np.savez(tmp_path / "d.npz", x=stripes(64, 0).x)
    assert main(["quantize", str(tmp_path / "f.tflite"), "-o", str(tmp_path / "q.tflite"), "--data",
                 str(tmp_path / "d.npz"), "--scope", "stm", "--bits", "3"]) == 2
    assert "did you mean 'stem" in capsys.readouterr().err


def test_a_float_tflite_gets_codebooks_too(content):
    graph = tflite.read(quantize(content, stripes(64, 0), method="kmeans", bits=3))
    assert [len(np.unique(graph.tensors[op.inputs[1]].array)) <= 8 for op in graph.ops
            if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")] == [True] * 4


def test_what_the_quantizer_leaves_in_float_is_named(tmp_path):
    require_module("litert_quantizer")
    L = keras().layers
    model = keras().Sequential([keras().Input((8, 8, 1)), L.Conv2D(4, 3), L.GlobalMaxPooling2D(),
                                L.Dense(3)])
    with pytest.raises(BadModel, match="stays in float: REDUCE_MAX"):
        quantize(float_tflite(model, tmp_path), stripes(64, 0))


@pytest.mark.slow
def test_a_float_tflite_becomes_int8_as_accurate_as_it_was(net, tmp_path):
    test = stripes(192, 1)
    trained = finetune(net, stripes(384, 0), 5, 0, batch_size=32, learning_rate=0.01)[0]
    content = quantize(float_tflite(trained, tmp_path), stripes(384, 0))
    assert evaluate(trained, test) > 0.8
    accuracy = np.mean(tflm(content, test.x).argmax(axis=1) == test.y)
    assert abs(accuracy - evaluate(trained, test)) <= 0.03
