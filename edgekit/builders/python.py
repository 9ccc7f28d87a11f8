"""The form `python`: the .tflite in LiteRT, for Linux boards."""

from __future__ import annotations

import json
from pathlib import Path

from edgekit.board import Board
from edgekit.builders import ecosystem, forms, layout
from edgekit.codegen import ModelCode, Project, SelfTest, render
from edgekit.errors import UsageError
from edgekit.firmware import Firmware

# The interpreter's package; 2.0 is the first whose wheels are for Python 3.11 to 3.13 and AArch64.
LITERT = "ai-edge-litert>=2.0"

_FILES = ("README.md", "requirements.txt", "run.py")


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """run.py, requirements.txt and the golden vectors; the .tflite joins them in model/."""
    forms.require_possible(board, "python", model.runtime)
    values = {**ecosystem.values(model, board, "python", optimize), "litert": LITERT}
    files = {name: render(f"project/python/{name}.j2", **values) for name in _FILES}
    files["selftest.json"] = json.dumps({"inputs": [data.hex() for data in selftest.inputs],
                                         "outputs": [data.hex() for data in selftest.outputs]},
                                        indent=1) + "\n"
    return (Project.of(files).merged(ecosystem.map_part(model))
            .merged(layout.manifest(model, board, "python", optimize)))


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None) -> Firmware:
    """There is nothing to build: UsageError, always."""
    raise UsageError(f"{directory.name} is a Python program: there is nothing to build in it",
                     "python run.py --selftest, or generate --form cmake")
