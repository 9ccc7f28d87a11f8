"""`edgekit demo --fast`, as a user runs it."""

from __future__ import annotations

import json

from conftest import require_module, require_tool
from edgekit import toolchains
from edgekit.board import load_board
from edgekit.cli import main
from edgekit.demo import EMULATED_IMAGES


def test_the_fast_demo_proves_firmware_for_three_boards(tmp_path, capsys):
    for module in ("tflite_micro", "unicorn", "capstone", "elftools"):
        require_module(module)
    for name in EMULATED_IMAGES:
        if not toolchains.available(load_board(name)):
            require_tool(toolchains.gcc(load_board(name)).compiler)
    assert main(["demo", "--fast", "--json", "-o", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    demo = json.loads(out)
    assert demo["schema"] == "edgekit.demo" and demo["mismatches"] == 0
    assert demo["accuracy"]["int8"] >= 0.94 and demo["accuracy"]["samples"] == 200
    assert [p["board"] for p in demo["profiles"]] == list(EMULATED_IMAGES)
    assert all(p["time"]["instructions"] > 100_000 for p in demo["profiles"])
    assert [v["samples"] for v in demo["validations"]] == [*EMULATED_IMAGES.values(), 200]
    assert all(v["ok"] and v["golden"].startswith("tflite-micro") for v in demo["validations"])
    assert len(demo["steps"]) == err.count(" s  ")
    report = (tmp_path / "out/report.html").read_text()
    assert "nucleo_l4r5zi" in report
    projects = {p.name for p in (tmp_path / "out").iterdir() if p.is_dir()}
    assert projects == {f"{board}_{runtime}" for board in EMULATED_IMAGES
                        for runtime in ("aot", "tflm")}
