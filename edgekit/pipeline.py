"""The whole flow on one screen: each command as a function that returns its document.

Models are paths of .tflite files, or `Model`s; where a project folder is taken, a folder.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from edgekit import checks, device
from edgekit import data as sources
from edgekit import fixing
from edgekit import inspection
from edgekit import output, profiling, profiling_device, samples, targets, validation
from edgekit import workspace
from edgekit.board import Board, load_board
from edgekit.board_list import boards
from edgekit.codegen import ModelCode
from edgekit.documents import document, issue
from edgekit.emulators.framed import open_framed
from edgekit.emulators.tflm_host import TflmHost, TflmLink
from edgekit.errors import Mismatch, UsageError
from edgekit.golden import Golden
from edgekit.macs import model_section
from edgekit.model import Model, compile_plan, load_model
from edgekit.profiling_tflm import profile_tflm
from edgekit.project import RUNTIMES, builder, compose, model_code, open_project, tflm_array

LINKS = ("auto", "memory", "frames")


def inspect(model) -> dict:
    """`edgekit.inspect`."""
    return inspection.inspect(_model(model))


def check(model, board: str, runtime: str = "tflm", fix_to=None) -> dict:
    """`edgekit.check`; its `exit` is the command's.

    With `fix_to`, a path, what can be mended is saved there and the mended model is judged.
    """
    taken, there, runtime = _model(model), load_board(board), _runtime(runtime)
    fixed = None
    if fix_to is not None:
        taken, fixed = fixing.fix_file(taken, fix_to)
    return inspection.check(taken, there, runtime) | {"fixed": fixed}


def generate(model, board: str, out, *, runtime: str = "tflm", form: str | None = None,
             optimize: str = "balanced", name: str | None = None, force: bool = False) -> dict:
    """Write a project folder; `edgekit.generate` lists its files."""
    taken = _model(model, name)
    code = model_code(taken, load_board(board), _runtime(runtime), optimize)
    project = compose(taken, code, load_board(board), form, optimize)
    output.write_project(project, Path(out), force=force)
    return document("generate", project=str(out), sha256=project.sha256,
                    aot_saves=_aot_saves(taken, code, load_board(board))
                    if runtime == "tflm" else None,
                    files=[{"path": path, "sha256": hashlib.sha256(data).hexdigest()}
                           for path, data in project.files])


def _aot_saves(model: Model, code: ModelCode, board: Board) -> dict | None:
    """The arenas of both runtimes in bytes, where aot takes the model."""
    if checks.unsupported(model.graph):
        return None
    return {"tflm_arena": code.arena_size,
            "aot_arena": compile_plan(model, board.cpu.kernels)[2].arena_size}


def build(directory, *, toolchain: str = "auto", optimize: str | None = None) -> dict:
    """Build a project folder with its form's own tool."""
    opened = open_project(Path(directory))
    firmware = builder(opened.form).build(Path(directory), opened.board, toolchain=toolchain,
                                          optimize=optimize or opened.optimize)
    return document("build", project=str(directory), board=opened.board.name, form=opened.form,
                    runtime=opened.runtime, elf=str(firmware.elf), toolchain=firmware.toolchain,
                    image=str(firmware.image) if firmware.image else None,
                    text=firmware.text, data=firmware.data, bss=firmware.bss)


def emulate(source, board: str | None = None, *, input, runtime: str | None = None,
            engine: str = "auto", toolchain: str = "auto",
            optimize: str = "balanced") -> tuple[list[np.ndarray], dict]:
    """(one array per output, first axis the sample; `edgekit.emulate`)."""
    with _opened(source, board, "emulator", runtime, engine, toolchain, optimize) as run:
        graph = run.model.graph
        taken = samples.read_input(Path(input), graph) if isinstance(input, (str, Path)) else \
            samples.from_array(np.asarray(input), graph)
        columns: list[list[np.ndarray]] = [[] for _ in graph.outputs]
        for sample in taken:
            run.link.load(tuple(np.ascontiguousarray(value).tobytes() for value in sample))
            for column, index, got in zip(columns, graph.outputs, run.link.infer().outputs):
                tensor = graph.tensors[index]
                column.append(np.frombuffer(got, tensor.dtype.numpy).reshape(tensor.shape[1:]))
        result = document("emulate", model=model_section(graph, run.model.name, run.model.sha256),
                          board=run.board.name, runtime=run.runtime, engine=run.link.hello().where,
                          samples=len(taken), issues=run.issues)
    return [np.stack(column) for column in columns], result


def validate(source, board: str | None = None, *, target: str = "emulator",
             runtime: str | None = None, engine: str = "auto", data=None, count: int | None = None,
             toolchain: str = "auto", optimize: str = "balanced", baud: int | None = None,
             link: str = "auto") -> dict:
    """`edgekit.validate`; a document with ok = False is a mismatch (exit 3).

    `target` is native, emulator or serial:PORT, for which `baud` is the speed. `link` is how an
    emulator's firmware is talked to: memory, or frames on its UART, which is what auto is with the
    engine qemu.
    """
    if link not in LINKS:
        raise UsageError(f"unknown link '{link}'", f"one of {', '.join(LINKS)}")
    frames = link == "frames" or (link, target, engine) == ("auto", "emulator", "qemu")
    opened = _on_device(source, board, target, baud) if device.is_device(target) else _opened(
        source, board, target, runtime, engine, toolchain, optimize, frames)
    with opened as run:
        taken, labels = _samples(run.model, data, count)
        # TFLite Micro on this PC is not compared with itself.
        on_host = run.runtime == "tflm" and not device.is_device(target)
        golden = Golden(run.model, of_reference=on_host)
        verdict = validation.validate(run.model, run.link, taken, labels, golden)
        wanted = run.runtime == "aot" and not (verdict.ok and verdict.device.is_empty)
        kernels = [op["kernel"] for op in model_code(run.model, run.board, "aot").map["ops"]
                   ] if wanted else ()
        return validation.verdict_document(verdict, run.model, run.board.name, run.runtime,
                                           run.issues, kernels)


def profile(source, board: str | None = None, *, runtime: str = "both", engine: str = "auto",
            toolchain: str = "auto", optimize: str = "balanced", target: str = "emulator",
            baud: int | None = None) -> dict:
    """`edgekit.profile`, or `edgekit.profiles` with both runtimes.

    With `target` serial:PORT cycles, latency and stack are what the board measured, of the runtime
    that is flashed.
    """
    if device.is_device(target):
        return _profile_on_device(source, board, runtime, engine, toolchain, optimize, target, baud)
    if target != "emulator":
        raise UsageError(f"unknown target '{target}'", "one of emulator, serial:PORT")
    model, chosen = _source(source, board)
    if runtime == "both":
        found = [profile(model, chosen.name, runtime=one, engine=engine, toolchain=toolchain,
                         optimize=optimize) for one in RUNTIMES]
        return document("profiles", profiles=found)
    if _runtime(runtime) == "tflm":
        return profile_tflm(model, chosen, optimize=optimize)
    return profiling.profile_aot(model, chosen, optimize=optimize, toolchain=toolchain,
                                 engine=engine)


def _profile_on_device(source, board: str | None, runtime: str, engine: str, toolchain: str,
                       optimize: str, target: str, baud: int | None) -> dict:
    with _on_device(source, board, target, baud) as run:
        if runtime not in ("both", run.runtime):
            raise UsageError(f"the firmware on {target} is {run.runtime}, not {runtime}",
                             f"--runtime {run.runtime}, or leave --runtime out")
        found = profiling_device.measure(run.model, run.link)
    if _is_folder(source):
        optimize = open_project(Path(source)).optimize
    estimated = profile(run.model, run.board.name, runtime=run.runtime, engine=engine,
                        toolchain=toolchain, optimize=optimize)
    return profiling_device.with_device(estimated, found, target)


def require_ok(verdict: dict) -> None:
    """Mismatch (exit 3) where a validate document says so; its text names the first difference."""
    if not verdict["ok"]:
        first = verdict["first"]
        kernel = f" (kernel {first['kernel']})" if first["kernel"] else ""
        raise Mismatch(
            f"{verdict['mismatches']:,} of {verdict['elements']:,} elements differ; the first in "
            f"operator {first['op']} {first['kind']}{kernel}, tensor '{first['tensor']}', element "
            f"{first['element']} of sample {first['sample']}: expected {first['expected']}, got "
            f"{first['got']}", "the operators before it are right: look at this one's kernel")


class _Run:
    """An open link with what it runs."""

    def __init__(self, model: Model, board: Board, runtime: str, link, issues: list[dict]):
        self.model, self.board, self.runtime = model, board, runtime
        self.link, self.issues = link, issues


@contextmanager
def _on_device(source, board: str | None, target: str, baud: int | None):
    """A model or a project's model, on the firmware behind a port."""
    opened = open_project(Path(source)) if _is_folder(source) else None
    model = opened.model if opened else _model(source)
    named = load_board(board) if board else opened.board if opened else None
    with device.open_device(target, model, named, baud) as (link, there, runtime):
        yield _Run(model, there, runtime, link, [])


@contextmanager
def _opened(source, board: str | None, target: str, runtime: str | None, engine: str,
            toolchain: str, optimize: str, frames: bool = False):
    """A model or a project, running on a target; a project of form cmake runs as it is."""
    if _is_folder(source):
        opened = open_project(Path(source))
        same_board = board in (None, opened.board.name)
        runtime = _runtime(runtime or opened.runtime)
        chosen = targets.choose_engine(opened.board, engine)
        # QEMU's machines have no Linux for the program of a board that is emulated as another.
        runs_it = chosen == "unicorn" or chosen == "qemu" and not opened.board.emulated_as
        as_it_is = (same_board and runtime == "aot" == opened.runtime and opened.form == "cmake"
                    and target == "emulator" and runs_it)
        if as_it_is:
            with _project_machine(opened, chosen, toolchain, frames) as run:
                yield run
            return
        optimize = opened.optimize
    model, chosen = _source(source, board)
    runtime = _runtime(runtime or "aot")
    issues = [issue("other_form", "the form cmake is built for this, with the same model code", "",
                    "info")] if _is_folder(source) and target == "emulator" else []
    if runtime == "tflm":
        issues.append(issue("not_the_firmware", "TensorFlow Lite Micro runs on this PC, not in the "
                            "board's firmware", "--runtime aot runs the firmware itself"))
        yield _Run(model, chosen, runtime, TflmLink(model, TflmHost(
            tflm_array(model, optimize), model.graph, preserve=True)), issues)
        return
    with targets.open_link(model, chosen, target=target, engine=engine, toolchain=toolchain,
                           optimize=optimize, frames=frames) as link:
        yield _Run(model, chosen, runtime, link, issues)


@contextmanager
def _project_machine(opened, engine: str, toolchain: str, frames: bool):
    firmware = workspace.built_folder(opened.directory, opened.board, toolchain, opened.optimize,
                                      link=frames)
    if frames:
        with open_framed(engine, firmware, opened.board) as link:
            yield _Run(opened.model, opened.board, opened.runtime, link, [])
        return
    model_map = workspace.read_map(opened.directory, opened.model.name)
    with targets.open_firmware(engine, firmware, opened.board, model_map) as machine:
        yield _Run(opened.model, opened.board, opened.runtime, machine, [])


def _is_folder(source) -> bool:
    return isinstance(source, (str, Path)) and Path(source).is_dir()


def _source(source, board: str | None) -> tuple[Model, Board]:
    if _is_folder(source):
        opened = open_project(Path(source))
        return opened.model, load_board(board) if board else opened.board
    if board is None:
        raise UsageError("a board is needed", "add --board NAME; edgekit boards lists them")
    return _model(source), load_board(board)


def _model(source, name: str | None = None) -> Model:
    return source if isinstance(source, Model) else load_model(Path(source), name)


def _runtime(name: str) -> str:
    if name not in RUNTIMES:
        raise UsageError(f"unknown runtime '{name}'", f"one of {', '.join(RUNTIMES)}")
    return name


def _samples(model: Model, data, count: int | None):
    """(samples, labels or None) of the user's data, or the default ones."""
    if count is not None and count < 1:
        raise UsageError(f"{count} samples prove nothing", "give --samples 1 or more")
    if data is None:
        return samples.default_samples(model.graph, count or 20), None
    shapes = samples.input_shapes(model.graph)
    given = sources.load(data, shapes) if not isinstance(data, sources.Data) else data
    taken = samples.from_array(given.first(count or len(given)).x, model.graph)
    return taken, None if given.y is None or given.y.ndim != 1 else given.y[:count]
