"""`edgekit validate --target serial:PORT` against firmware on this machine and in QEMU."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest

from conftest import require_module
from edgekit import cli, pipeline, tflite_writer
from edgekit.device import open_device
from edgekit.errors import EdgekitError, Mismatch, NotThere, UsageError
from edgekit.frames import Frame, Type, encode
from edgekit.model import model_of
from firmware_process import MISTAKE, build, running
from tiny_graphs import all_graphs

MODELS = {name: model_of(tflite_writer.write(graph), name) for name, graph in all_graphs().items()}
NETWORK, TWO_INPUTS = MODELS["tiny_network"], MODELS["two_inputs"]


def validate(model, wire, **options):
    return pipeline.validate(model, target=f"serial:{wire.path}", **options)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
@pytest.mark.parametrize("board", ["linux_host", "mps2_an386", "qemu_riscv32"])
def test_firmware_behind_a_port_equals_the_golden_and_ends_with_the_host(board, model):
    with running(board, build(model, board)) as wire:
        verdict = validate(model, wire, count=7)
        assert wire.process.wait(10) == 0
    assert verdict["ok"] and verdict["samples"] == 7 and verdict["board"] == board
    stored = sum(tensor.nbytes for tensor in map(model.graph.tensors.__getitem__, [
        i for op in model.graph.ops for i in op.outputs]))
    outputs = sum(model.graph.tensors[i].nbytes for i in model.graph.outputs)
    assert verdict["elements"] == 5 * stored + 7 * outputs


def test_an_application_that_runs_its_own_loop_is_validated_between_two_turns():
    """Firmware as it is for hardware: the model is the application's until a host talks."""
    with running("linux_host", build(NETWORK, "linux_host", emulated=False)) as wire:
        assert validate(NETWORK, wire, count=4)["ok"]
        # It has its model back, and goes on: another host finds it again.
        assert wire.process.poll() is None
        assert validate(NETWORK, wire, count=4)["ok"]


def test_the_device_measures_its_inference():
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        device = validate(NETWORK, wire)["device"]
    low, high = device["latency_s"]
    assert 0 < low <= high < 1 and device["cycles"] is None
    assert device["methods"] == {"latency_s": "measured", "peak_stack": "measured"}
    # Every operator by itself; together they are an inference.
    assert [op["kind"] for op in device["ops"]] == [op.kind for op in NETWORK.graph.ops]
    assert all(op["cycles"] is None and 0 <= op["latency_s"][0] <= op["latency_s"][1]
               for op in device["ops"])
    assert sum(op["latency_s"][0] for op in device["ops"]) < 3 * high
    assert 50 < device["peak_stack"] < 8192


def test_a_machine_without_a_cycle_counter_measures_its_stack_alone():
    """As much of it as the emulator counts: what an inference leaves of the paint."""
    with running("mps2_an386", build(NETWORK, "mps2_an386")) as wire:
        device = validate(NETWORK, wire)["device"]
    assert (device["cycles"], device["latency_s"], device["ops"]) == (None, None, [])
    counted = pipeline.profile(NETWORK, "mps2_an386", runtime="aot")["ram"]["peak_stack"]
    assert counted <= device["peak_stack"] <= counted + 160


def test_a_core_that_counts_its_cycles_gives_them_by_operator():
    with running("qemu_riscv32", build(NETWORK, "qemu_riscv32")) as wire:
        device = validate(NETWORK, wire)["device"]
    assert set(device["methods"]) == {"cycles", "latency_s", "peak_stack"}
    assert all(0 < op["cycles"][0] <= op["cycles"][1] for op in device["ops"]
               if op["kernel"] != "folded")


def test_a_profile_of_a_board_has_its_own_cycles_and_stack(capsys, tmp_path):
    (tmp_path / "tiny_network.tflite").write_bytes(NETWORK.data)
    with running("qemu_riscv32", build(NETWORK, "qemu_riscv32")) as wire:
        code = cli.main(["profile", str(tmp_path / "tiny_network.tflite"), "--target",
                         f"serial:{wire.path}", "--json"])
    profile = json.loads(capsys.readouterr().out)
    assert code == 0 and profile["board"] == "qemu_riscv32" and profile["runtime"] == "aot"
    time, ram = profile["time"], profile["ram"]
    assert time["methods"] == {"instructions": "emulated", "cycles": "measured",
                               "latency_s": "measured"}
    assert 0 < time["cycles"][0] <= time["cycles"][1]
    assert ram["methods"]["peak_stack"] == ram["methods"]["total"] == "measured"
    assert ram["total"] == ram["arena"] + ram["static"] + ram["peak_stack"]
    assert all(op["cycles"][1] > 0 or op["kernel"] == "folded" for op in profile["ops"])
    assert not [entry for entry in profile["issues"] if "estimated" in entry["message"]]


def test_a_profile_of_a_board_whose_counter_stands_still_has_no_estimate_beside_it():
    with running("mps2_an386", build(NETWORK, "mps2_an386")) as wire:
        profile = pipeline.profile(NETWORK, target=f"serial:{wire.path}")
    assert profile["time"]["cycles"] is profile["time"]["latency_s"] is None
    assert "no_clock" in [entry["code"] for entry in profile["issues"]]
    assert profile["ram"]["methods"]["peak_stack"] == "measured"


def test_another_models_firmware_is_refused_with_both_digests(capsys, tmp_path):
    (tmp_path / "net.tflite").write_bytes(NETWORK.data)
    with running("linux_host", build(TWO_INPUTS, "linux_host")) as wire:
        code = cli.main(["validate", str(tmp_path / "net.tflite"), "--target",
                         f"serial:{wire.path}", "--json"])
    error = json.loads(capsys.readouterr().out)
    assert code == error["exit"] == 3
    assert TWO_INPUTS.sha256[:16] in error["message"] and NETWORK.sha256[:16] in error["message"]


def test_another_boards_firmware_is_refused():
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        with pytest.raises(UsageError, match="is for the board 'linux_host', not 'nucleo_l4r5zi'"):
            validate(NETWORK, wire, board="nucleo_l4r5zi")


@pytest.mark.parametrize("samples", [3, 12])
def test_a_wrong_operator_is_found_with_kernel_and_element(samples, monkeypatch):
    if samples == 12:  # found by the outputs alone, then looked for
        monkeypatch.setattr("edgekit.validation.LAYER_SAMPLES_ON_A_WIRE", 0)
    with running("linux_host", build(NETWORK, "linux_host", change=MISTAKE)) as wire:
        verdict = validate(NETWORK, wire, count=samples)
    first = verdict["first"]
    assert not verdict["ok"]
    assert (first["op"], first["kind"], first["kernel"]) == (4, "MEAN", "mean_s8")
    with pytest.raises(Mismatch, match=r"operator 4 MEAN \(kernel mean_s8\), tensor 'mean_4'"):
        pipeline.require_ok(verdict)


def test_a_port_that_is_not_there_is_exit_6_and_a_url_is_one_port(capsys, tmp_path):
    (tmp_path / "net.tflite").write_bytes(NETWORK.data)
    for port in ("/dev/edgekit-nowhere", "rfc2217://localhost:1"):
        assert cli.main(["validate", str(tmp_path / "net.tflite"), "--target",
                         f"serial:{port}"]) == 6
        assert port in capsys.readouterr().err
    with pytest.raises(UsageError, match="names no port"):
        pipeline.validate(NETWORK, target="serial:")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("edgekit.greeting.HELLO_S", 0.8)


def failure(wire, **options) -> EdgekitError:
    start = time.monotonic()
    with pytest.raises(EdgekitError) as caught:
        validate(NETWORK, wire, **options)
    assert time.monotonic() - start < 20 and caught.value.hint
    assert not isinstance(caught.value, NotThere) and caught.value.exit == 1
    return caught.value


def test_silence_is_bounded_and_said(quick):
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        wire.mute = True
        assert "is silent" in failure(wire).message


def test_a_wrong_baud_rate_is_said_with_the_rate(quick):
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        wire.garble = True
        wire.chatter(b"edgekit: a line of the log, at another rate\n", 0.1)
        error = failure(wire, baud=9600)
    assert "neither frames nor text at 9,600 baud" in error.message and "--baud" in error.hint


def test_firmware_without_the_link_is_said_to_print_only(quick):
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        wire.mute = True
        wire.chatter(b"temperature 21\n", 0.1)
        error = failure(wire)
    assert "temperature 21" in error.message and "EDGEKIT_LINK" in error.hint


@pytest.mark.parametrize("after", [200, 1500, 2500])
def test_a_cable_that_is_pulled_is_said(after):
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        wire.cut_after = after
        assert "went away" in failure(wire).message


def test_firmware_that_stops_answering_is_said(monkeypatch):
    monkeypatch.setattr("edgekit.exchange.LAST_RUN_S", 2.0)
    monkeypatch.setattr("edgekit.exchange.LOST_S", 2.0)
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        threading.Timer(0.05, lambda: setattr(wire, "mute", True)).start()
        assert "does not answer any more" in failure(wire, count=2000).message


def test_another_protocol_is_refused(quick):
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        wire.mute = True
        wire.answer = lambda frame: encode(Frame(
            Type.HELLO + Type.REPLY, frame.sequence, bytes((9,)) + bytes(20)))
        assert "speaks protocol 9" in failure(wire).message


# `make serial-long` asks for 100.
LOSSY_RUNS = int(os.environ.get("EDGEKIT_LOSSY_RUNS", 6))


@pytest.mark.slow
def test_a_lossy_wire_costs_time_and_never_a_verdict():
    """Three bytes of ten thousand are lost, doubled or changed; every third firmware is wrong."""
    right, wrong = (build(NETWORK, "linux_host", change=change) for change in (None, MISTAKE))
    errors = 0
    for seed in range(LOSSY_RUNS):
        elf = wrong if seed % 3 == 2 else right
        with running("linux_host", elf, error_rate=3e-4, seed=seed) as wire:
            verdict = validate(NETWORK, wire, count=4)
        errors += wire.errors
        assert verdict["ok"] == (elf is right), seed
        assert elf is right or verdict["first"]["kind"] == "MEAN"
    assert errors > LOSSY_RUNS


def test_tflite_micro_firmware_would_be_compared_on_outputs_alone():
    """A runtime that cannot stop after an operator says so in its HELLO."""
    require_module("tflite_micro")
    elf = build(NETWORK, "linux_host", change=(
        "app/main.c", b"    .invoke_until = tiny_network_invoke_until,\n"
        b"    .invoke_op = tiny_network_invoke_op,\n", b""))
    with running("linux_host", elf) as wire:
        with open_device(f"serial:{wire.path}", NETWORK, None, None) as (_, board, runtime):
            assert (board.name, runtime) == ("linux_host", "tflm")
    with running("linux_host", elf) as wire:
        verdict = validate(NETWORK, wire, count=3)
    assert verdict["ok"] and verdict["elements"] == 9 and verdict["golden"].startswith("tflite")
