"""Int4 weights: in the file, in the graph, on TFLite Micro, in aot code, and from `quantize`."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import require_module, require_tool
from keras_nets import depthwise, inputs, residual, seeded

from edgekit import pipeline, reference, samples, tflite
from edgekit.board import load_board
from edgekit.cli import main
from edgekit.compact import slim
from edgekit.compress.grids import Grid, grids
from edgekit.compress.quantize import quantize, quantized
from edgekit.compress.tune import Training
from edgekit.data import make
from edgekit.emulators import native
from edgekit.errors import UsageError
from edgekit.golden import Golden
from edgekit.graph import DType, Graph, Tensor, packed_nibbles
from edgekit.model import compile_plan, model_of
from edgekit.passes import int4
from edgekit.runtimes import tflm_ops
from tflm_project import DoubledProject, quartered, written

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def weights_of(graph: Graph) -> dict[str, DType]:
    """The type of the weights of each operator."""
    return {graph.tensors[op.outputs[0]].name: graph.tensors[op.inputs[1]].dtype
            for op in graph.ops if op.kind in KINDS}


@pytest.mark.parametrize("count", (1, 2, 7, 16))
def test_two_weights_lie_in_a_byte_the_first_in_the_low_half(count):
    values = np.arange(count) % 16 - 8
    data = packed_nibbles(values)
    assert len(data) == (count + 1) // 2 and data[0] & 15 == values[0] & 15
    assert np.array_equal(Tensor("w", (count,), DType.INT4, None, data).array, values)


def test_values_beyond_four_bits_are_not_packed():
    with pytest.raises(ValueError, match="no int4"):
        packed_nibbles(np.array([8]))


def test_the_writer_and_the_reader_keep_int4_and_commands_see_int8():
    graph = quartered()
    content = written(graph)
    assert tflite.read(content, graph.name) == graph
    assert set(weights_of(graph).values()) == {DType.INT4}
    assert set(weights_of(model_of(content, "m").graph).values()) == {DType.INT8}


def test_tflite_micro_computes_what_the_reference_computes_with_int4_weights():
    require_module("tflite_micro")
    model = model_of(written(quartered()), "quartered")
    golden = Golden(model)
    assert golden.name.startswith("tflite-micro")
    for sample in samples.default_samples(model.graph, 20):
        golden.run(sample)
        values = reference.run(model.graph, sample)
        for op in model.graph.ops:
            assert golden.tensor(op.outputs[0]) == values[op.outputs[0]].tobytes()


@pytest.mark.parametrize("optimize", ("balanced", "size"))
def test_aot_code_computes_it_too_and_size_keeps_them_packed(optimize):
    if not native.available():
        require_tool("cc")
    model = model_of(written(quartered()), "quartered")
    assert pipeline.validate(model, "linux_host", target="native", count=5,
                             optimize=optimize)["ok"]
    calls = compile_plan(model, (), optimize)[1]
    decoded = [call.kernel for lowered in calls for call in lowered].count("codebook_decode")
    assert decoded == (4 if optimize == "size" else 0)


def test_a_slim_file_keeps_int4():
    model = model_of(written(quartered()), "quartered")
    for for_tflm in (False, True):
        smaller, _ = slim(model, for_tflm=for_tflm)
        assert len(smaller.data) < len(model.data)
        assert set(t.dtype for t in tflite.read(smaller.data).tensors) >= {DType.INT4}


def test_a_project_registers_the_int4_kernels_where_all_weights_are_int4(tmp_path):
    content = written(quartered())
    found = {one.kind: one.function for one in tflm_ops.registrations(tflite.read(content))}
    assert all(found[kind] == f"Register_{kind}_INT4" for kind in KINDS)
    some = int4.narrow(int4.widen(quartered()), [1])  # one of two convolutions
    assert {one.kind: one.function for one in tflm_ops.registrations(some)} == {
        "CONV_2D": None, "DEPTHWISE_CONV_2D": "Register_DEPTHWISE_CONV_2D_INT8",
        "FULLY_CONNECTED": "Register_FULLY_CONNECTED_INT8", "MEAN": None}
    built = DoubledProject(tmp_path, content, "quartered", "linux_host").built()
    assert built.run() == (0, "edgekit quartered: self-test PASS\n")


# quantize --weights

LAYERS = [("stem", "Conv2D"), ("up", "Conv2DTranspose"), ("head", "Dense")]


def test_int4_is_chosen_by_scope_and_dense_layers_have_one_scale():
    assert grids(LAYERS, weights={"stem": "int4", "type:Dense": "int4"}) == {
        "stem": Grid(step=7), "up": Grid(), "head": Grid(per_channel=False, step=7)}
    assert grids(LAYERS, scope="stem", weights="int4")["head"] == Grid()


@pytest.mark.parametrize("options, message", (
    ({"weights": "int4"}, "'up' is a Conv2DTranspose"), ({"weights": "int2"}, "no int2 weights"),
    ({"weights": {"stm": "int4"}}, "no layer matches 'stm'"),
    ({"weights": {"stem": "int4"}, "bits": 4}, "'stem' is to have a codebook and int4")))
def test_what_int4_cannot_be_is_said(options, message):
    with pytest.raises(UsageError, match=message):
        grids(LAYERS, **options)


@pytest.mark.parametrize("net", (residual, depthwise))
def test_a_keras_model_gets_int4_weights_that_tflite_micro_runs(net):
    require_module("tflite_micro")
    model = seeded(net)
    data = make(inputs(model, 64), source="noise")
    whole = quantize(model, data)
    content = quantize(model, data, weights="int4", epochs=0)
    graph = tflite.read(content)
    assert set(weights_of(graph).values()) == {DType.INT4}
    assert all(len(graph.tensors[op.inputs[1]].quant.scale) == 1 for op in graph.ops
               if op.kind == "FULLY_CONNECTED")
    assert len(content) < len(whole)
    found = model_of(content, "m")
    golden = Golden(found)
    for sample in samples.default_samples(found.graph, 5):
        golden.run(sample)
        values = reference.run(found.graph, sample)
        for index in found.graph.outputs:
            assert golden.tensor(index) == values[index].tobytes()


def test_the_integers_are_those_that_training_rounded_to_and_scales_are_fitted():
    model = seeded(residual)
    data = make(inputs(model, 64), source="noise")
    found = quantized(model, data, Training(epochs=1), weights="int4")
    assert found.history.epochs == 1
    stored = tflite.read(found.content)
    narrow = {i for i, tensor in enumerate(stored.tensors) if tensor.dtype is DType.INT4}
    assert narrow == set(found.kernels) and all(kernel.int4 for kernel in found.kernels.values())
    for index in narrow:
        assert np.array_equal(stored.tensors[index].array.ravel(), found.kernels[index].codes.ravel())
        assert np.abs(stored.tensors[index].array).max() <= 7


def test_an_int8_tflite_gets_int4_weights_by_the_command(tmp_path, capsys):
    model = seeded(residual)
    x = inputs(model, 64)
    (tmp_path / "m.tflite").write_bytes(quantize(model, make(x, source="noise")))
    np.savez(tmp_path / "d.npz", x=x)
    assert main(["quantize", str(tmp_path / "m.tflite"), "-o", str(tmp_path / "o.tflite"), "--data",
                 str(tmp_path / "d.npz"), "--weights", "type:CONV_2D=int4"]) == 0
    capsys.readouterr()
    graph = tflite.read((tmp_path / "o.tflite").read_bytes())
    for op in graph.ops:
        if op.kind in KINDS:
            assert (graph.tensors[op.inputs[1]].dtype is DType.INT4) == (op.kind == "CONV_2D")
    assert (tmp_path / "o.tflite").stat().st_size < (tmp_path / "m.tflite").stat().st_size


def test_int16_activations_take_no_int4_weights():
    model = seeded(residual)
    with pytest.raises(UsageError, match="int16x8 takes no int4"):
        quantize(model, make(inputs(model, 8), source="noise"), weights="int4", dtype="int16x8")


def test_the_firmware_of_a_board_is_generated_with_them():
    code = compile_plan(model_of(written(quartered()), "q"), load_board("nucleo_l4r5zi").cpu.kernels)
    assert any("dsp" in call.kernel for lowered in code[1] for call in lowered)
