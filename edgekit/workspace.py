"""Builds that commands need in passing: in a temporary folder, once per content and process."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from pathlib import Path

from edgekit.board import Board
from edgekit.builders import cmake
from edgekit.codegen import Project
from edgekit.errors import UsageError
from edgekit.firmware import Firmware

_built: dict[tuple, Firmware] = {}
_folder: Path | None = None


def built(project: Project, board: Board, toolchain: str, optimize: str, *,
          emulated: bool | None = None, link: bool = False) -> Firmware:
    """The project's firmware; equal projects are compiled once per process.

    Without `link` nothing in it is there for a host: an emulator reads the memory itself, and a
    profile's differences are the model's alone.
    """
    key = (project.sha256, board.name, toolchain, optimize, emulated, link)
    if key not in _built:
        directory = _root() / f"{len(_built):03d}-{project.sha256[:12]}"
        project.write(directory)
        _built[key] = cmake.build(directory, board, toolchain=toolchain, optimize=optimize,
                                  emulated=emulated, link=link)
    return _built[key]


def built_folder(directory: Path, board: Board, toolchain: str, optimize: str, *,
                 link: bool = False) -> Firmware:
    """A project folder as it stands on disk, built outside it: its own tree stays as it is."""
    return cmake.build(directory, board, toolchain=toolchain, optimize=optimize,
                       build_directory=Path(tempfile.mkdtemp(dir=_root())),
                       emulated=True if link else None, link=link)


def read_map(directory: Path, name: str) -> dict:
    """NAME.map.json of a project folder."""
    path = directory / "model" / f"{name}.map.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not there or damaged", "generate the project again") from error


def _root() -> Path:
    global _folder
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="edgekit-"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder
