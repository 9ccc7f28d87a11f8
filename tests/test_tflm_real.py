"""Firmware with TFLite Micro's own sources, where TFLM_DIR names them; minutes each.

    TFLM_DIR=... [TFLM_FLATBUFFERS_DIR=... TFLM_GEMMLOWP_DIR=... TFLM_RUY_DIR=...
    TFLM_CMSIS_NN_DIR=...] pytest -m external tests/test_tflm_real.py

With ccache as CMAKE_C_COMPILER_LAUNCHER and CMAKE_CXX_COMPILER_LAUNCHER they share their work.
"""

from __future__ import annotations

import pytest
from conftest import require_models, require_module, require_tool
from tflm_project import run_firmware, selftest_of, tflm_sources

from edgekit import pipeline, toolchains, tools
from edgekit.board import load_board
from edgekit.builders import cmake
from edgekit.model import load_model
from edgekit.project import model_code

pytestmark = pytest.mark.external

FILES = {"kws": "kws_ref_model", "ic": "pretrainedResnet_quant", "hello_world": "hello_world_int8"}
KERNELS = (("mps2_an386", "reference"), ("mps2_an386", "cmsis_nn"), ("mps3_an547", "reference"),
           ("mps3_an547", "cmsis_nn"), ("raspberry_pi_4", "reference"))


def model(name: str):
    return load_model(require_models() / f"{FILES[name]}.tflite", name)


def need(board: str) -> None:
    tflm_sources()
    for program in ("cmake", "ninja", toolchains.gcc(load_board(board)).cxx_compiler):
        require_tool(program)


@pytest.mark.parametrize(("board", "kernels"), KERNELS)
@pytest.mark.parametrize("name", FILES)
def test_the_firmware_passes_its_self_test(tmp_path, name, board, kernels):
    need(board)
    chosen, taken = load_board(board), model(name)
    code = model_code(taken, chosen, "tflm")
    cmake.project(code, selftest_of(taken.graph), chosen).write(tmp_path)
    file = tmp_path / "model/model.cmake"
    default = f"set(EDGEKIT_TFLM_KERNELS {'cmsis_nn' if 'mps' in board else 'reference'} CACHE"
    assert default in file.read_text()
    file.write_text(file.read_text().replace(default, f"set(EDGEKIT_TFLM_KERNELS {kernels} CACHE"))
    firmware = cmake.build(tmp_path, chosen, toolchain="gcc", emulated=True)
    passed = (0, f"edgekit {name}: self-test PASS\n")
    if board == "raspberry_pi_4":
        done = tools.run([require_tool("qemu-aarch64"), str(firmware.elf)], timeout_s=60)
        assert (done.returncode, done.stdout.decode()) == passed
    else:
        assert run_firmware(firmware.elf, board) == passed


@pytest.mark.parametrize("board", ["mps2_an386", "mps3_an547"])
@pytest.mark.parametrize("name", FILES)
def test_profile_and_validate_run_the_firmware_itself(name, board):
    need(board)
    require_module("unicorn" if board == "mps2_an386" else "elftools")
    found = pipeline.profile(model(name), board, runtime="tflm")
    assert found["engine"] == ("unicorn" if board == "mps2_an386" else "qemu")
    unknown = {key for section in ("flash", "ram") for key, value in found[section].items()
               if value is None}
    assert unknown == {"activations", "activations_bound", "scratch"}
    ram, methods = found["ram"], found["ram"]["methods"]
    assert 0 < ram["arena_used"] <= ram["arena"] and methods["arena_used"] == "emulated"
    assert ram["total"] == ram["arena"] + ram["static"] + ram["peak_stack"]
    assert found["time"]["instructions"] > found["model"]["macs"] / 8
    assert found["flash"]["weights"] == len(model(name).data)
    verdict = pipeline.validate(model(name), board, runtime="tflm", count=5)
    assert verdict["ok"] and verdict["golden"].startswith("tflite-micro ")
    assert "not_the_firmware" not in {entry["code"] for entry in verdict["issues"]}
