"""The form `platformio`: a PlatformIO project with the Arduino framework; aot only."""

from __future__ import annotations

from pathlib import Path

from edgekit import log, tools
from edgekit.board import Board
from edgekit.builders import ecosystem, forms, layout
from edgekit.codegen import ModelCode, Project, SelfTest, render
from edgekit.firmware import Firmware

_FILES = ("platformio.ini", "README.md")


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """platformio.ini, src/ with the sketch and the self-test, lib/edgekit_model/."""
    forms.require_possible(board, "platformio", model.runtime)
    platform, name = board.name_in("platformio").split()
    values = {**ecosystem.values(model, board, "platformio", optimize), "platform": platform,
              "platformio_board": name, "baud": board.serial.baud}
    files = {file: render(f"project/platformio/{file}.j2", **values) for file in _FILES}
    files["src/main.cpp"] = render("project/arduino/sketch.j2", **values)
    files["lib/edgekit_model/library.json"] = render("project/platformio/library.json.j2", **values)
    sources = Project.of(ecosystem.model_sources(model)).under("lib/edgekit_model/src")
    return (Project.of(files).merged(sources).merged(ecosystem.map_part(model))
            .merged(ecosystem.selftest_part(model, selftest, board, "src"))
            .merged(layout.manifest(model, board, "platformio", optimize)))


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None) -> Firmware:
    """Build with pio; NotThere (exit 6) where it is not on PATH."""
    ecosystem.refuse_zig(toolchain, "PlatformIO")
    layout.optimize_flag(optimize)  # it is in platformio.ini
    pio = tools.require("pio", "pip install platformio")
    log.note(f"compiling for {board.title} with PlatformIO")
    ecosystem.run([pio, "run", "-d", str(directory)], directory, board)
    return ecosystem.firmware(directory / ".pio" / "build" / board.name, "PlatformIO", ".bin")
