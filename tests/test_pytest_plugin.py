"""The fixture edgekit_firmware, in pytest runs of its own."""

from __future__ import annotations

import pytest

from conftest import require_module, require_tool
from edgekit import tflite_writer
from tiny_graphs import all_graphs

pytest_plugins = ["pytester"]
PLUGIN = ("-p", "edgekit.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture
def folder(pytester):
    (pytester.path / "model.tflite").write_bytes(tflite_writer.write(all_graphs()["tiny_network"]))
    return pytester


def run(folder, body: str):
    folder.makepyfile(body)
    return folder.runpytest_subprocess(*PLUGIN, "-rs")


def test_three_lines_test_a_firmware_on_the_emulated_board(folder):
    require_module("unicorn")
    require_tool("arm-none-eabi-gcc")
    result = run(folder, """
        import numpy as np

        def test_firmware(edgekit_firmware):
            firmware = edgekit_firmware("model.tflite", "nucleo_l4r5zi")
            assert firmware.validate(samples=3)["mismatches"] == 0
            assert 0 < firmware.profile()["ram"]["total"] < 8000
            assert firmware.profile() is firmware.profile()

        def test_outputs(edgekit_firmware):
            firmware = edgekit_firmware("model.tflite", "nucleo_l4r5zi")
            outputs = firmware(np.zeros((2, 12, 12, 2), np.int8))
            assert outputs.shape == (2, 3) and outputs.dtype == np.int8
            assert firmware is edgekit_firmware("model.tflite", "nucleo_l4r5zi")
    """)
    result.assert_outcomes(passed=2)


def test_other_numbers_fail_the_test_with_the_operator_named(folder):
    result = run(folder, """
        WRONG = {"ok": False, "mismatches": 1, "elements": 7, "first": {
            "op": 3, "kind": "ADD", "kernel": None, "tensor": "t", "element": 5, "sample": 0,
            "expected": 1, "got": 2}}

        def test_firmware(edgekit_firmware, monkeypatch):
            monkeypatch.setattr("edgekit.pipeline.validate", lambda *_, **__: WRONG)
            edgekit_firmware("model.tflite", "qemu_riscv32").validate()
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*1 of 7 elements differ*operator 3 ADD*expected 1, got 2*"])


@pytest.mark.parametrize("required, outcome", [("0", {"skipped": 1}), ("1", {"failed": 1})])
def test_a_missing_compiler_skips_by_name_unless_it_is_required(folder, monkeypatch, required,
                                                                outcome):
    monkeypatch.setenv("EDGEKIT_REQUIRE_TOOLS", required)
    result = run(folder, """
        from edgekit.errors import NotThere

        def test_firmware(edgekit_firmware):
            raise NotThere("no compiler for it", "install zig")
    """)
    result.assert_outcomes(**outcome)
    if required == "0":
        assert "no compiler for it (install zig)" in result.stdout.str()
