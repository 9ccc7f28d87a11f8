"""The form `pico-sdk`: a project of Raspberry Pi's SDK, for RP2040 and RP2350 (pico-sdk 2)."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit import log, tools
from edgekit.board import Board
from edgekit.builders import ecosystem, forms, layout
from edgekit.codegen import ModelCode, Project, SelfTest, copied, render
from edgekit.errors import NotThere
from edgekit.firmware import Firmware

_FILES = ("CMakeLists.txt", "README.md", "main.c", "board.h", "board.c", "pico_sdk_import.cmake")


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """main.c, the self-test, model/ and the SDK's few lines of CMake; UsageError elsewhere."""
    forms.require_possible(board, "pico-sdk", model.runtime)
    values = {**ecosystem.values(model, board, "pico-sdk", optimize),
              **layout.link_values(model, selftest)}
    return (Project.of({name: render(f"project/pico_sdk/{name}.j2", **values) for name in _FILES})
            .merged(ecosystem.selftest_part(model, selftest, board, ""))
            .merged(copied("app", ("link.h", "link.c")))
            .merged(layout.model_part(model))
            .merged(layout.manifest(model, board, "pico-sdk", optimize)))


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None) -> Firmware:
    """Build with CMake and the SDK; NotThere (exit 6) where PICO_SDK_PATH names none."""
    ecosystem.refuse_zig(toolchain, "the pico-sdk")
    sdk = os.environ.get("PICO_SDK_PATH", "")
    if not (Path(sdk) / "pico_sdk_init.cmake").is_file():
        raise NotThere("PICO_SDK_PATH names no pico-sdk",
                       "export PICO_SDK_PATH=<pico-sdk 2>, or generate --form cmake")
    cmake, ninja = tools.require("cmake"), tools.require("ninja")
    target = build_directory or directory / "build"
    configure = [cmake, "-S", str(directory), "-B", str(target), "-G", "Ninja",
                 f"-DCMAKE_MAKE_PROGRAM={ninja}",
                 f"-DEDGEKIT_OPTIMIZE={layout.optimize_flag(optimize)}"]
    if not tools.find("picotool"):
        configure.append("-DPICO_NO_PICOTOOL=1")  # the SDK would fetch and build it
    log.note(f"compiling for {board.title} with the pico-sdk")
    ecosystem.run(configure, directory, board)
    ecosystem.run([cmake, "--build", str(target)], directory, board)
    return ecosystem.firmware(target, "pico-sdk", ".uf2")
