"""Builds that commands need in passing: in a temporary folder, once per content and process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from edgekit.board import Board
from edgekit.builders import cmake
from edgekit.codegen import Project
from edgekit.firmware import Firmware

_built: dict[tuple, Firmware] = {}
_folder: Path | None = None


def built(project: Project, board: Board, toolchain: str, optimize: str, *,
          emulated: bool | None = None) -> Firmware:
    """The project's firmware; equal projects are compiled once per process."""
    key = (project.sha256, board.name, toolchain, optimize, emulated)
    if key not in _built:
        directory = _root() / f"{len(_built):03d}-{project.sha256[:12]}"
        project.write(directory)
        _built[key] = cmake.build(directory, board, toolchain=toolchain, optimize=optimize,
                                  emulated=emulated)
    return _built[key]


def _root() -> Path:
    global _folder
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="edgekit-"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder
