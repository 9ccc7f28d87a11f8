"""A board on the desk: flashed, and its numbers compared. Skipped without --board and --port.

    pytest tests/hardware --board nucleo_l4r5zi --port /dev/ttyACM0

`--flash-port` where flashing goes elsewhere than the UART: a UF2 drive, a probe's id. The board
is left with the last test's firmware.
"""

from __future__ import annotations

import pytest

from edgekit import pipeline, tflite_writer
from edgekit.errors import EdgekitError, Mismatch
from edgekit.flashing import flash
from edgekit.model import model_of
from tiny_graphs import all_graphs

MODELS = {name: model_of(tflite_writer.write(graph), name) for name, graph in all_graphs().items()}


@pytest.fixture(scope="module")
def board(request) -> str:
    name = request.config.getoption("--board")
    if not name or not request.config.getoption("--port"):
        pytest.skip("no board: give --board and --port")
    return name


@pytest.fixture(scope="module")
def target(request) -> str:
    return f"serial:{request.config.getoption('--port')}"


@pytest.fixture(scope="module", params=sorted(MODELS))
def flashed(request, board, tmp_path_factory):
    model = MODELS[request.param]
    folder = tmp_path_factory.mktemp("hardware") / model.name
    pipeline.generate(model, board, folder, runtime="aot", form="cmake")
    assert flash(folder, port=request.config.getoption("--flash-port"))["verified"]
    return model


def test_the_flashed_firmware_computes_the_goldens_numbers(flashed, board, target):
    verdict = pipeline.validate(flashed, board, target=target, count=50)
    assert verdict["ok"] and verdict["samples"] == 50


def test_the_board_measures_its_inference(flashed, board, target):
    device = pipeline.validate(flashed, board, target=target, count=5)["device"]
    assert device is not None and 0 < device["latency_s"][0] <= device["latency_s"][1] < 1
    assert len(device["ops"]) == len(flashed.graph.ops)
    assert device["peak_stack"] is None or 32 < device["peak_stack"] < 64 << 10


def test_another_model_is_refused(flashed, board, target):
    other = next(model for model in MODELS.values() if model is not flashed)
    with pytest.raises(Mismatch):
        pipeline.validate(other, board, target=target)


def test_a_wrong_speed_is_an_error_and_not_a_verdict(flashed, board, target):
    with pytest.raises(EdgekitError):
        pipeline.validate(flashed, board, target=target, baud=9600)
