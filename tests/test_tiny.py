"""Read this first: a model written by hand, through the whole of edgekit on one page."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import require_module, require_tool
from edgekit import pipeline, reference, tflite_writer, toolchains
from edgekit.board import load_board
from edgekit.emulators import native
from edgekit.errors import EdgekitError
from edgekit.model import model_of
from tiny_graphs import all_graphs

MODELS = {name: model_of(tflite_writer.write(graph), name) for name, graph in all_graphs().items()}


@pytest.fixture(params=sorted(MODELS))
def model(request):
    return MODELS[request.param]


def test_a_model_that_was_written_reads_back_as_it_was(model):
    assert model.graph == all_graphs()[model.name]


def test_its_outputs_are_not_all_the_same(model):
    rng = np.random.default_rng(1)
    inputs = [rng.integers(-128, 127, model.graph.tensors[i].shape) for i in model.graph.inputs]
    values = reference.run(model.graph, tuple(inputs))
    for op in model.graph.ops:
        if op.kind != "SOFTMAX":
            assert len(np.unique(values[op.outputs[0]])) > 2, op.kind


def test_the_reference_engine_equals_tensorflow_lite_micro(model):
    require_module("tflite_micro")
    verdict = pipeline.validate(model, "nucleo_l4r5zi", engine="reference")
    assert verdict["ok"] and verdict["golden"].startswith("tflite-micro")
    assert verdict["elements"] > 20 * sum(t["bytes"] for t in pipeline.inspect(model)["outputs"])


def test_native_code_equals_it(model):
    if not native.available():
        require_tool("cc")
    assert pipeline.validate(model, "linux_host", target="native")["ok"]


@pytest.mark.parametrize("board", ["nucleo_l4r5zi", "raspberry_pi_pico", "qemu_riscv32",
                                   "mps2_an505", "raspberry_pi_5", "nrf52840_dk", "esp32c6"])
def test_firmware_on_the_emulated_board_equals_it(model, board):
    require_module("unicorn")
    if not toolchains.available(load_board(board)):
        require_tool(toolchains.gcc(load_board(board)).compiler)
    verdict = pipeline.validate(model, board, engine="unicorn")
    assert verdict["ok"] and verdict["target"] == "unicorn" and verdict["samples"] == 20


def test_a_profile_counts_every_operator(model):
    require_module("unicorn")
    if not toolchains.available(load_board("nucleo_l4r5zi")):
        require_tool("arm-none-eabi-gcc")
    profile = pipeline.profile(model, "nucleo_l4r5zi", runtime="aot")
    counts = [op["instructions"] for op in profile["ops"]]
    assert all(count > 0 for count in counts)
    # What NAME_invoke does itself is a few calls.
    assert 0 <= profile["time"]["instructions"] - sum(counts) < 12 * (len(counts) + 1)
    assert profile["flash"]["total"] == sum(profile["flash"][k] for k in
                                            ("code", "weights", "tables"))
    assert profile["ram"]["total"] == sum(profile["ram"][k] for k in
                                          ("arena", "static", "peak_stack"))


def test_a_project_is_generated_built_and_run_from_its_folder(model, tmp_path):
    require_module("unicorn")
    if not toolchains.available(load_board("mps2_an386")):
        require_tool("arm-none-eabi-gcc")
    pipeline.generate(model, "mps2_an386", tmp_path / "p", runtime="aot")
    assert pipeline.build(tmp_path / "p")["text"] > 1000
    assert pipeline.validate(tmp_path / "p", count=3)["ok"]


def test_no_samples_prove_nothing(model):
    with pytest.raises(EdgekitError, match="0 samples"):
        pipeline.validate(model, "nucleo_l4r5zi", engine="reference", count=0)
