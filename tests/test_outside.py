"""Layers outside a quantization's scope: int16 activations or float, beside int8, on TFLite Micro."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import require_module
from keras_nets import depthwise, inputs, keras, predict, residual, seeded

from edgekit import tflite
from edgekit.cli import main
from edgekit.compress import fidelity
from edgekit.compress.quantize import quantize, quantized
from edgekit.compress.tune import Training
from edgekit.data import make
from edgekit.errors import BadModel, UsageError
from edgekit.golden import Golden
from edgekit.graph import DType, Graph, Op, Tensor
from edgekit.model import model_of
from edgekit.passes.mixed import mixed
from edgekit.samples import dequantize, from_array


def kinds(graph: Graph) -> list[str]:
    """The operators with the type that they compute in."""
    short = {DType.INT8: "8", DType.INT16: "16", DType.FLOAT32: "f"}
    return [f"{op.kind} {short[graph.tensors[op.outputs[0]].dtype]}" for op in graph.ops]


def outputs(content: bytes, x: np.ndarray) -> np.ndarray:
    """What TFLite Micro computes, as real numbers."""
    require_module("tflite_micro")
    model = model_of(content, "m")
    golden, tensor = Golden(model), model.graph.tensors[model.graph.outputs[0]]
    found = []
    for sample in from_array(x, model.graph):
        golden.run(sample)
        found.append(dequantize(np.frombuffer(golden.tensor(model.graph.outputs[0]),
                                              tensor.dtype.numpy), tensor))
    return np.array(found)


def joined():
    """Two convolutions that are concatenated with the input."""
    L = keras().layers
    x = keras().Input((6, 6, 2))
    a = L.Conv2D(5, 1, activation="relu", name="a")(x)
    b = L.Conv2D(7, 1, activation="relu", name="b")(a)
    return keras().Model(x, L.Dense(3, name="head")(L.Flatten()(L.Concatenate()([a, b, x]))))


def made(net, **options) -> tuple[bytes, object, np.ndarray]:
    model = seeded(net)
    x = inputs(model, 64)
    return quantize(model, make(x, source="noise"), **options), model, x


@pytest.fixture(scope="module")
def float_head():
    return made(residual, scope="!type:Dense", outside="float")


def test_the_head_stays_float_and_both_ends_int8(float_head):
    graph = tflite.read(float_head[0])
    assert kinds(graph) == ["CONV_2D 8", "CONV_2D 8", "CONV_2D 8", "ADD 8", "MEAN 8",
                            "DEQUANTIZE f", "FULLY_CONNECTED f", "SOFTMAX f", "QUANTIZE 8"]
    assert {graph.tensors[i].dtype for i in (*graph.inputs, *graph.outputs)} == {DType.INT8}


def test_the_weights_of_a_float_layer_are_those_of_the_keras_model(float_head):
    content, model, _ = float_head
    graph = tflite.read(content)
    op = next(op for op in graph.ops if op.kind == "FULLY_CONNECTED")
    kernel = next(layer for layer in model.layers if type(layer).__name__ == "Dense").kernel
    assert np.array_equal(graph.tensors[op.inputs[1]].array, np.asarray(kernel).T)
    assert all(tensor.data is None or any(i in op.inputs for op in graph.ops)
               for i, tensor in enumerate(graph.tensors))  # no int8 copy is left


@pytest.mark.parametrize("net, scope, outside", (
    (residual, "!stem*", "int16x8"),
    pytest.param(residual, "!stem*", "float", marks=pytest.mark.slow),
    pytest.param(depthwise, "!type:DepthwiseConv2D", "float", marks=pytest.mark.slow),
    pytest.param(depthwise, "!type:DepthwiseConv2D", "int16x8", marks=pytest.mark.slow)))
def test_tflite_micro_comes_nearer_to_the_float_model_with_layers_left_out(net, scope, outside):
    model = seeded(net)
    x = inputs(model, 64)
    data = make(x, source="noise")
    expected = np.asarray(predict(model, x)).reshape(len(x), -1)
    whole, part = (outputs(quantize(model, data, **options), x) for options in (
        {}, {"scope": scope, "outside": outside}))
    errors = [np.square(found.reshape(len(x), -1) - expected).mean() for found in (whole, part)]
    assert errors[1] < 1.2 * errors[0] + 1e-9


@pytest.mark.slow
def test_everything_outside_is_the_float_model_itself():
    model = seeded(residual)
    x = inputs(model, 64)
    content = quantize(model, make(x, source="noise"), scope="type:Dense", outside="float")
    graph = tflite.read(content)
    assert kinds(graph)[0] == "DEQUANTIZE f" and kinds(graph)[-3:] == [
        "QUANTIZE 8", "FULLY_CONNECTED 8", "SOFTMAX 8"]


def test_requantizations_that_only_one_conversion_has_fall_away_or_are_made():
    """int16x8 has a QUANTIZE before each input of a concatenation, int8 has none."""
    content, _, _ = made(joined, scope="type:Dense", outside="int16x8")
    assert kinds(tflite.read(content)) == [
        "QUANTIZE 16", "CONV_2D 16", "CONV_2D 16", "QUANTIZE 8", "QUANTIZE 8", "CONCATENATION 8",
        "RESHAPE 8", "FULLY_CONNECTED 8"]


@pytest.mark.slow
def test_codebooks_in_scope_and_float_outside_train_together():
    require_module("tflite_micro")
    model = seeded(residual)
    x = inputs(model, 64)
    found = quantized(model, make(x, source="noise"), Training(epochs=1), method="kmeans", bits=3,
                      scope="!type:Dense", outside="float")
    graph = tflite.read(found.content)
    assert found.history.epochs == 1 and found.kernels
    for index, kernel in found.kernels.items():
        assert len(np.unique(graph.tensors[index].array)) <= 8 and kernel.levels == 8
    layers = fidelity.fidelity(found.model, model_of(found.content, "m"), x[:8], found.kernels)
    assert {one.kind for one in layers} >= {"CONV_2D", "FULLY_CONNECTED", "DEQUANTIZE"}


@pytest.mark.parametrize("options, message", (
    ({"outside": "float"}, "no layer is outside the scope"),
    ({"outside": "int4", "scope": "!stem*"}, "cannot be int4"),
    ({"outside": "float", "scope": "!stem*", "dtype": "int16x8"}, "is for the whole model")))
def test_what_cannot_be_left_out_is_said(options, message):
    model = seeded(residual)
    with pytest.raises(UsageError, match=message):
        quantize(model, make(inputs(model, 8), source="noise"), **options)


def test_a_tflite_has_no_float_layers_to_keep():
    with pytest.raises(UsageError, match="cannot keep layers float"):
        quantize(b"", make(np.zeros((2, 2), np.float32), source="x"), outside="float")


def test_conversions_that_differ_are_refused():
    def graph(kind: str) -> Graph:
        tensors = (Tensor("x", (1, 2), DType.INT8), Tensor("y", (1, 2), DType.INT8))
        return Graph("g", tensors, (Op(kind, (0,), (1,)),), (0,), (1,))

    with pytest.raises(BadModel, match="RELU and TANH after 0 that agree"):
        mixed(graph("RELU"), graph("TANH"), {0})


def test_the_command_and_a_tflm_project_take_a_mixed_model_and_aot_says_why_not(
        tmp_path, capsys, float_head):
    require_module("tflite_micro")
    content, model, x = float_head
    model.save(tmp_path / "m.keras")
    np.savez(tmp_path / "d.npz", x=x)
    assert main(["quantize", str(tmp_path / "m.keras"), "-o", str(tmp_path / "o.tflite"), "--data",
                 str(tmp_path / "d.npz"), "--scope", "!type:Dense", "--outside", "float",
                 "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outside"] == "float"
    for runtime, code in (("tflm", 0), ("aot", 2)):
        assert main(["check", str(tmp_path / "o.tflite"), "--board", "linux_host", "--runtime",
                     runtime]) == code
    assert main(["generate", str(tmp_path / "o.tflite"), "--board", "linux_host", "-o",
                 str(tmp_path / "p")]) == 0
    assert (tmp_path / "o.tflite").read_bytes() == content
