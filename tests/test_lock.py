"""edgekit.lock: what drifted since a profile was accepted, one sentence each."""

from __future__ import annotations

import json

import pytest
from conftest import require_module, require_tool

from edgekit import lock, tflite_writer
from edgekit.cli import main
from edgekit.errors import Regression, UsageError
from tiny_graphs import network


def profile(**changes) -> dict:
    d = {"model": {"name": "m", "sha256": "ab" * 32}, "board": "b", "runtime": "aot",
         "optimize": "size", "kernels_sha256": "cd" * 32, "toolchain": "gcc 12",
         "ram": {"arena": 1000, "peak_stack": 200}, "flash": {"total": 30_000}}
    return d | changes


def test_nothing_has_drifted_from_what_was_just_locked(tmp_path):
    path = tmp_path / "edgekit.lock"
    lock.update(path, profile())
    lock.check(path, profile())


@pytest.mark.parametrize("change, sentence", [
    ({"flash": {"total": 31_000}}, "m b aot size: flash is 31,000 bytes, locked was 30,000 bytes"),
    ({"flash": {"total": None}}, "m b aot size: flash is not known, locked was 30,000 bytes"),
    ({"ram": {"arena": 1016, "peak_stack": 200}},
     "m b aot size: arena is 1,016 bytes, locked was 1,000 bytes"),
    ({"ram": {"arena": 1000, "peak_stack": 208}},
     "m b aot size: stack is 208 bytes, locked was 200 bytes"),
    ({"toolchain": "gcc 13"}, "m b aot size: toolchain is gcc 13, locked was gcc 12"),
    ({"kernels_sha256": "ef" * 32},
     "m b aot size: kernels is efefefefefefefef, locked was cdcdcdcdcdcdcdcd"),
    ({"model": {"name": "m", "sha256": "00" * 32}},
     "m b aot size: model is 0000000000000000, locked was abababababababab"),
    ({"optimize": "speed"}, "m b aot speed is not locked"),
])
def test_each_drift_is_a_sentence(tmp_path, change, sentence):
    path = tmp_path / "edgekit.lock"
    lock.update(path, profile())
    with pytest.raises(Regression) as raised:
        lock.check(path, profile(**change))
    assert raised.value.reasons == (sentence,)
    assert raised.value.exit == 5


def test_all_drifts_are_told_at_once_and_other_entries_stay(tmp_path):
    path = tmp_path / "edgekit.lock"
    lock.update(path, {"profiles": [profile(), profile(runtime="tflm")]})
    lock.update(path, profile(board="a"))
    assert list(json.loads(path.read_text())["entries"]) == [
        "m a aot size", "m b aot size", "m b tflm size"]
    with pytest.raises(Regression) as raised:
        lock.check(path, {"profiles": [profile(toolchain="x", flash={"total": 1}),
                                       profile(runtime="tflm")]})
    assert len(raised.value.reasons) == 2


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"schema": "edgekit.lock", "schema_version": 2}',
                                  '{"schema": "edgekit.lock", "schema_version": 1}',
                                  '{"schema": "edgekit.lock", "schema_version": 1, "entries": '
                                  '{"m b aot size": 7}}'])
def test_a_damaged_lock_is_not_overwritten(tmp_path, text):
    path = tmp_path / "edgekit.lock"
    path.write_text(text)
    for use in (lock.update, lock.check):
        with pytest.raises(UsageError):
            use(path, profile())
    assert path.read_text() == text


def test_without_a_lock_locked_is_a_failure_that_says_what_writes_one(tmp_path):
    with pytest.raises(Regression, match="there is no .*edgekit.lock") as raised:
        lock.check(tmp_path / "edgekit.lock", profile())
    assert "--update-lock" in raised.value.hint


def test_the_command_exits_5_when_the_model_grew(tmp_path, capsys):
    for program in ("arm-none-eabi-gcc", "cmake", "ninja"):
        require_tool(program)
    require_module("unicorn")
    model = tmp_path / "tiny.tflite"
    model.write_bytes(tflite_writer.write(network()))
    command = ["profile", str(model), "--board", "mps2_an386", "--runtime", "aot"]
    assert main([*command, "--locked"]) == 5
    assert main([*command, "--update-lock"]) == 0
    assert main([*command, "--locked"]) == 0
    found = json.loads((tmp_path / "edgekit.lock").read_text())["entries"]
    entry = found["tiny mps2_an386 aot balanced"]
    assert None not in entry.values()
    entry["flash"] -= 8
    (tmp_path / "edgekit.lock").write_text(json.dumps(
        {"schema": "edgekit.lock", "schema_version": 1, "entries": found}))
    capsys.readouterr()
    assert main([*command, "--locked"]) == 5
    assert "tiny mps2_an386 aot balanced: flash is" in capsys.readouterr().err
    assert main([*command, "--locked", "--max-latency", "1e-9"]) == 4
    assert "latency is" in capsys.readouterr().err
