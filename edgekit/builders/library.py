"""The form `library`: the model's sources and a few lines of CMake, for a project that exists."""

from __future__ import annotations

from pathlib import Path

from edgekit import toolchains
from edgekit.board import Board
from edgekit.builders import layout
from edgekit.codegen import ModelCode, Project, SelfTest, render
from edgekit.errors import UsageError
from edgekit.firmware import Firmware


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """model/, CMakeLists.txt and a README; no main, start-up code or linker script."""
    del selftest  # the application that would check it is the user's
    values = {"name": model.name, "board": board, "runtime": model.runtime,
              "languages": layout.languages(model), "sources": model.sources,
              "model_sources": [path for path in model.sources if not path.startswith("kernels/")],
              "kernels": [path.removeprefix("kernels/") for path, _ in model.files.files
                          if path.startswith("kernels/")],
              "optimize_flag": layout.optimize_flag(optimize),
              "cpu_flags": " ".join(toolchains.known(board)[0].cpu_flags)}
    return (layout.model_part(model)
            .merged(layout.manifest(model, board, "library", optimize))
            .merged(Project.of({name: render(f"project/library/{name}.j2", **values)
                                for name in ("CMakeLists.txt", "README.md")})))


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None) -> Firmware:
    """A library has no firmware: UsageError, always."""
    raise UsageError(f"{directory.name} is a library: there is no firmware to build in it",
                     "add_subdirectory() it in your project, or generate --form cmake")
