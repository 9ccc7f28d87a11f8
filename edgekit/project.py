"""Project folders: how one is put together from a model, and how one is read back."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from edgekit import compact, targets
from edgekit.board import Board, load_board
from edgekit.builders import forms
from edgekit.codegen import ModelCode, Project
from edgekit.errors import UsageError
from edgekit.model import Model, load_model
from edgekit.runtimes import tflm

RUNTIMES = ("tflm", "aot")


@dataclass(frozen=True)
class Opened:
    """A generated project on disk: what its edgekit.json says, and the model in it."""

    directory: Path
    board: Board
    runtime: str
    form: str
    optimize: str
    model: Model


def builder(form: str) -> ModuleType:
    """The module of a form: `esp-idf` is edgekit/builders/esp_idf.py."""
    return importlib.import_module(f"edgekit.builders.{form.replace('-', '_')}")


def model_code(model: Model, board: Board, runtime: str,
               optimize: str = "balanced") -> ModelCode:
    """The model as code of a runtime."""
    if runtime == "aot":
        return targets.aot_code(model, board, optimize)
    if runtime == "tflm":
        return tflm.generate(tflm_array(model, optimize), model.graph, model.name, board,
                             model.sha256)
    raise UsageError(f"unknown runtime '{runtime}'", f"one of {', '.join(RUNTIMES)}")


def tflm_array(model: Model, optimize: str = "balanced") -> bytes:
    """What the tflm runtime stores of a model: the .tflite, or with `size` a smaller one."""
    return compact.slim(model, for_tflm=True)[0].data if optimize == "size" else model.data


def compose(model: Model, code: ModelCode, board: Board, form: str | None = None,
            optimize: str = "balanced") -> Project:
    """A whole project of the model's code; it carries the .tflite it was made from."""
    form = form or board.default_form
    forms.require_possible(board, form, code.runtime)
    project = builder(form).project(code, targets.selftest(model), board, optimize=optimize)
    return project.merged(Project.of({f"model/{model.name}.tflite": model.data}))


def open_project(directory: Path) -> Opened:
    """Read a project folder back; UsageError where it is none of ours."""
    manifest = Path(directory) / "edgekit.json"
    try:
        data = json.loads(manifest.read_text(encoding="utf-8"))
        name = data["model"]["name"]
        model = load_model(Path(directory) / "model" / f"{name}.tflite", name)
        return Opened(Path(directory), load_board(data["board"]), data["runtime"], data["form"],
                      data["optimize"], model)
    except OSError as error:
        raise UsageError(f"{directory} is not a project of edgekit: {manifest.name} is not there",
                         "make one with edgekit generate") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{manifest} is damaged: {error}", "generate the project again") from error
