"""From what a command was given to an open link: a model or a project folder, and where it runs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from edgekit import device, targets, tflm_sources, workspace
from edgekit.board import Board, load_board
from edgekit.documents import issue
from edgekit.emulators.framed import open_framed
from edgekit.emulators.tflm_host import TflmHost, TflmLink
from edgekit.errors import UsageError
from edgekit.graph import Graph
from edgekit.model import Model, load_model
from edgekit.project import RUNTIMES, model_code, open_project, tflm_array


class Run:
    """An open link with what it runs."""

    def __init__(self, model: Model, board: Board, runtime: str, link, issues: list[dict]):
        self.model, self.board, self.runtime = model, board, runtime
        self.link, self.issues = link, issues

    @property
    def compiled(self) -> Graph | None:
        """The graph behind the link, where that is not the model's own."""
        return targets.graph_behind(self.link, self.model) if self.runtime == "aot" else None


@contextmanager
def on_device(source, board: str | None, target: str, baud: int | None):
    """A model or a project's model, on the firmware behind a port."""
    opened = open_project(Path(source)) if is_folder(source) else None
    model = opened.model if opened else as_model(source)
    named = load_board(board) if board else opened.board if opened else None
    with device.open_device(target, model, named, baud) as (link, there, runtime):
        yield Run(model, there, runtime, link, [])


@contextmanager
def opened_source(source, board: str | None, target: str, runtime: str | None, engine: str,
                  toolchain: str, optimize: str, frames: bool = False):
    """A model or a project, running on a target; a project of form cmake runs as it is."""
    if is_folder(source):
        opened = open_project(Path(source))
        same_board = board in (None, opened.board.name)
        runtime = known_runtime(runtime or opened.runtime)
        chosen = targets.choose_engine(opened.board, engine)
        # QEMU's machines have no Linux for the program of a board that is emulated as another.
        runs_it = chosen == "unicorn" or chosen == "qemu" and not opened.board.emulated_as
        built_here = runtime == "aot" or not tflm_sources.missing(opened.board, chosen, toolchain)
        as_it_is = (same_board and runtime == opened.runtime and opened.form == "cmake"
                    and target == "emulator" and runs_it and built_here)
        if as_it_is:
            with _project_machine(opened, chosen, toolchain, frames) as run:
                yield run
            return
        optimize = opened.optimize
    model, chosen = model_and_board(source, board)
    runtime = known_runtime(runtime or "aot")
    issues = [issue("other_form", "the form cmake is built for this, with the same model code", "",
                    "info")] if is_folder(source) and target == "emulator" else []
    if runtime == "tflm":
        with _tflm_link(model, chosen, target, engine, toolchain, optimize, frames,
                        issues) as link:
            yield Run(model, chosen, runtime, link, issues)
        return
    with targets.open_link(model, chosen, target=target, engine=engine, toolchain=toolchain,
                           optimize=optimize, frames=frames) as link:
        yield Run(model, chosen, runtime, link, issues)


@contextmanager
def _tflm_link(model: Model, board: Board, target: str, engine: str, toolchain: str, optimize: str,
               frames: bool, issues: list[dict]):
    """TFLite Micro in the board's firmware; on this PC, with an issue, where there is none."""
    chosen = targets.choose_engine(board, engine)
    lacking = tflm_sources.missing(targets.emulated(board), chosen, toolchain)
    if target == "emulator" and not lacking:
        issues.append(issue("outputs_only", "TensorFlow Lite Micro's intermediate tensors are not "
                            "looked at in its firmware, only its outputs", "", "info"))
        code = model_code(model, targets.emulated(board), "tflm", optimize)
        with targets.open_code(code, model, board, chosen, toolchain, optimize, frames) as link:
            yield link
        return
    why = f": {lacking[0]}" if target == "emulator" else ""
    issues.append(issue("not_the_firmware", "TensorFlow Lite Micro runs on this PC, not in the "
                        f"board's firmware{why}", "--runtime aot runs the firmware itself"))
    yield TflmLink(model, TflmHost(tflm_array(model, optimize), model.graph, preserve=True))


@contextmanager
def _project_machine(opened, engine: str, toolchain: str, frames: bool):
    firmware = workspace.built_folder(opened.directory, opened.board, toolchain, opened.optimize,
                                      link=frames)
    if frames:
        with open_framed(engine, firmware, opened.board) as link:
            yield Run(opened.model, opened.board, opened.runtime, link, [])
        return
    model_map = workspace.read_map(opened.directory, opened.model.name)
    with targets.open_firmware(engine, firmware, opened.board, model_map) as machine:
        yield Run(opened.model, opened.board, opened.runtime, machine, [])


def is_folder(source) -> bool:
    """Whether it is a project's folder and not a model."""
    return isinstance(source, (str, Path)) and Path(source).is_dir()


def model_and_board(source, board: str | None) -> tuple[Model, Board]:
    """The model given or the project's, and the board named or the project's."""
    if is_folder(source):
        opened = open_project(Path(source))
        return opened.model, load_board(board) if board else opened.board
    if board is None:
        raise UsageError("a board is needed", "add --board NAME; edgekit boards lists them")
    return as_model(source), load_board(board)


def as_model(source, name: str | None = None) -> Model:
    """A model as it is, or read from a path."""
    return source if isinstance(source, Model) else load_model(Path(source), name)


def known_runtime(name: str) -> str:
    """The name; UsageError where it is no runtime's."""
    if name not in RUNTIMES:
        raise UsageError(f"unknown runtime '{name}'", f"one of {', '.join(RUNTIMES)}")
    return name
