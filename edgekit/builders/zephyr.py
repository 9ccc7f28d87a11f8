"""The form `zephyr`: a Zephyr application (4.1 or later)."""

from __future__ import annotations

from pathlib import Path

from edgekit import log, tools
from edgekit.board import Board
from edgekit.builders import ecosystem, forms, layout
from edgekit.codegen import ModelCode, Project, SelfTest, render
from edgekit.firmware import Firmware

# Bytes; TFLite Micro's AllocateTensors is deep, the aot runtime is not.
STACK_SIZE = {"tflm": 4096, "aot": 2048}

_FILES = ("CMakeLists.txt", "README.md", "prj.conf", "src/main.c")


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """CMakeLists.txt, prj.conf, src/ with main() and the self-test, model/."""
    forms.require_possible(board, "zephyr", model.runtime)
    values = {**ecosystem.values(model, board, "zephyr", optimize),
              "stack_size": STACK_SIZE[model.runtime], "has_fpu": board.cpu.fpu is not None,
              "small": optimize == "size"}
    # TFLite Micro is a module of Zephyr's; it brings its own log.
    skipped = tuple(path for path, _ in model.files.files if path.startswith("edgekit_tflm_"))
    files = ecosystem.model_sources(model, without=skipped)
    return (Project.of({name: render(f"project/zephyr/{name}.j2", **values) for name in _FILES})
            .merged(Project.of(files).under("model")).merged(ecosystem.map_part(model))
            .merged(ecosystem.selftest_part(model, selftest, board, "src"))
            .merged(layout.manifest(model, board, "zephyr", optimize)))


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None) -> Firmware:
    """Build with west; NotThere (exit 6) where it is not on PATH."""
    ecosystem.refuse_zig(toolchain, "Zephyr")
    west = tools.require("west", "install Zephyr and its SDK, activate its environment, or "
                         "generate --form cmake for a build without it")
    target = build_directory or directory / "build"
    log.note(f"compiling for {board.title} with Zephyr")
    ecosystem.run([west, "build", "-b", str(board.name_in("zephyr")), "-d", str(target),
                   str(directory), "--", f"-DEDGEKIT_OPTIMIZE={layout.optimize_flag(optimize)}"],
                  directory, board)
    return ecosystem.firmware(target / "zephyr", "Zephyr", ".bin")
