"""MLPerf Tiny's models, unmodified: bit for bit equal on emulated boards, and within the arena."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import REQUIRE_TOOLS, require_models, require_module, require_tool
from edgekit import pipeline, toolchains
from edgekit.board import load_board
from edgekit.cli import main
from edgekit.model import load_model, model_of
from standin_models import BUILD

FILES = {"kws": "kws_ref_model", "ic": "pretrainedResnet_quant", "vww": "vww_96_int8",
         "ad": "ad01_int8", "hello": "hello_world_int8"}
ARENA_AT_MOST = {"kws": 17_000, "ic": 51_000, "vww": 57_500, "ad": 1_600}


_standins: dict[str, Path] = {}


def path(name: str) -> Path:
    """The public model; without EDGEKIT_MODELS the same network with seeded weights."""
    if os.environ.get("EDGEKIT_MODELS") or name not in BUILD or REQUIRE_TOOLS:
        return require_models() / f"{FILES[name]}.tflite"
    require_module("tensorflow")
    if name not in _standins:
        folder = Path(tempfile.mkdtemp(prefix="edgekit-standins-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _standins[name] = folder / f"{FILES[name]}.tflite"
        _standins[name].write_bytes(BUILD[name]())
    return _standins[name]


def need_firmware(board: str) -> None:
    require_module("unicorn")
    require_module("capstone")
    require_module("elftools")
    if not toolchains.available(load_board(board)):
        require_tool(toolchains.gcc(load_board(board)).compiler)


@pytest.mark.parametrize("name", sorted(BUILD))
def test_a_stand_in_has_the_operators_of_the_public_model(name):
    require_module("tensorflow")
    public = [op.kind for op in load_model(
        require_models() / f"{FILES[name]}.tflite").graph.ops if op.kind != "RESHAPE"]
    model = model_of(BUILD[name](), name)
    assert [op.kind for op in model.graph.ops] == public
    assert pipeline.validate(model, "nucleo_l4r5zi", engine="reference", count=4)["ok"]


def expected_elements(inspected: dict, samples: int) -> int:
    """The output, and every operator's output that is stored: a RESHAPE is a view."""
    sizes = [op["outputs"][0]["bytes"] for op in inspected["ops"] if op["kind"] != "RESHAPE"]
    return samples * (sizes[-1] + sum(sizes))


@pytest.mark.parametrize(("name", "board"), [
    ("kws", "nucleo_l4r5zi"), ("kws", "raspberry_pi_pico"), ("kws", "qemu_riscv32"),
    *(pytest.param("ic", board, marks=pytest.mark.slow)
      for board in ("nucleo_l4r5zi", "qemu_riscv32", "raspberry_pi_pico"))])
def test_firmware_equals_tensorflow_lite_micro_with_intermediate_tensors(name, board):
    need_firmware(board)
    require_module("tflite_micro")
    verdict = pipeline.validate(path(name), board, runtime="aot", count=6)
    assert verdict["ok"] and verdict["mismatches"] == 0 and verdict["target"] == "unicorn"
    assert verdict["elements"] == expected_elements(pipeline.inspect(path(name)), 6)


@pytest.mark.parametrize("name", ["vww", "ad", "hello"])
def test_the_other_models_equal_it_on_the_nucleo(name):
    need_firmware("nucleo_l4r5zi")
    assert pipeline.validate(path(name), "nucleo_l4r5zi", runtime="aot", count=6)["ok"]


@pytest.mark.parametrize("name", sorted(ARENA_AT_MOST))
def test_the_arena_is_at_most_what_was_promised(name):
    need_firmware("nucleo_l4r5zi")
    profile = pipeline.profile(path(name), "nucleo_l4r5zi", runtime="aot")
    assert profile["ram"]["arena"] <= ARENA_AT_MOST[name]
    assert profile["ram"]["arena"] == profile["ram"]["activations_bound"]
    counted = [op for op in profile["ops"] if op["kernel"] != "folded"]
    assert all(op["instructions"] > 0 for op in counted)


def test_one_wrong_rounding_is_found_and_named_with_exit_3(tmp_path, capsys):
    """Single rounding in the last layer of kws: no output byte shows it, the layer does."""
    need_firmware("raspberry_pi_pico")
    require_module("tflite_micro")
    project = tmp_path / "kws"
    assert main(["generate", str(path("kws")), "--board", "raspberry_pi_pico", "--runtime", "aot",
                 "--form", "cmake", "-o", str(project), "-q"]) == 0
    kernel = project / "model/kernels/fully_connected_s8_armv6m.c"
    text = kernel.read_text()
    assert text.count("edgekit_requantize_by_bytes(") == 1
    single = ("static int8_t single_rounding(int32_t x, int32_t multiplier, int32_t right,\n"
              "                              int32_t offset) {\n"
              "  const int32_t total = 31 + right;\n"
              "  const int64_t sum = (int64_t)x * multiplier + (INT64_C(1) << (total - 1));\n"
              "  return (int8_t)edgekit_clamp((int32_t)(sum >> total) + (offset - 1) / 2, -128, 127);"
              "\n}\n\n")
    first_function = text.index("static int8_t output_of(")
    kernel.write_text((text[:first_function] + single + text[first_function:]).replace(
        "edgekit_requantize_by_bytes(", "single_rounding("))
    capsys.readouterr()
    assert main(["validate", str(project), "--samples", "20", "--json"]) == 3
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["ok"] is False and verdict["mismatches"] > 0 and verdict["worst"] == 1
    dense = [op["index"] for op in pipeline.inspect(path("kws"))["ops"]
             if op["kind"] == "FULLY_CONNECTED"]
    assert verdict["first"]["kind"] == "FULLY_CONNECTED" and [verdict["first"]["op"]] == dense


def test_profile_of_both_runtimes_follows_the_contract(capsys):
    need_firmware("nucleo_l4r5zi")
    assert main(["profile", str(path("kws")), "--board", "nucleo_l4r5zi", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "edgekit.profiles"
    tflm, aot = document["profiles"]
    for profile in (tflm, aot):
        assert profile["schema"] == "edgekit.profile"
        assert profile.keys() >= {"board", "runtime", "form", "optimize", "toolchain", "engine",
                                  "flash", "ram", "time", "ops", "firmware", "model", "issues",
                                  "schema_version", "tool_version"}
        assert profile["flash"].keys() == {"code", "weights", "tables", "total", "methods"}
        assert profile["ram"].keys() == {"arena", "arena_used", "activations", "activations_bound",
                                         "scratch", "static", "peak_stack", "total", "methods"}
        assert profile["time"].keys() == {"instructions", "cycles", "latency_s", "energy_j",
                                          "methods"}
        for section in ("flash", "ram", "time"):
            known = {k for k, v in profile[section].items() if k != "methods" and v is not None}
            assert set(profile[section]["methods"]) == known
            assert set(profile[section]["methods"].values()) <= {"exact", "emulated", "estimated",
                                                                 "measured"}
        unknown = [k for s in ("flash", "ram", "time") for k, v in profile[s].items() if v is None]
        assert not unknown or profile["issues"]
    assert tflm["flash"]["weights"] == path("kws").stat().st_size
    assert aot["ram"]["total"] == sum(aot["ram"][k] for k in ("arena", "static", "peak_stack"))
    assert aot["toolchain"].startswith(("arm-none-eabi-gcc ", "zig "))
    assert aot["time"]["instructions"] >= sum(op["instructions"] for op in aot["ops"])


def test_a_budget_that_is_exceeded_is_exit_4(capsys):
    need_firmware("nucleo_l4r5zi")
    arguments = ["profile", str(path("hello")), "--board", "nucleo_l4r5zi", "--runtime", "aot"]
    assert main([*arguments, "--max-ram", "64K", "--max-flash", "1M"]) == 0
    assert main([*arguments, "--max-ram", "16"]) == 4
    assert "the budget is 16" in capsys.readouterr().err


def test_a_model_that_does_not_fit_is_exit_1_and_says_by_how_much(capsys, monkeypatch):
    """vww's activations on a Pico with a tenth of its RAM."""
    pico = load_board("raspberry_pi_pico")
    small = replace(pico, memory=tuple(replace(m, size=m.size // 10) if m.kind == "ram" else m
                                       for m in pico.memory))
    for module in ("pipeline", "opening"):
        monkeypatch.setattr(f"edgekit.{module}.load_board", lambda name: small)
    words = ["--board", "raspberry_pi_pico", "--runtime", "aot"]
    assert main(["check", str(path("vww")), *words]) == 1
    assert "36,896 bytes of RAM" in capsys.readouterr().out
    assert main(["profile", str(path("vww")), *words]) == 1
    error = capsys.readouterr().err
    assert f"has {small.ram_size:,}" in error and "the largest tensor is" in error
