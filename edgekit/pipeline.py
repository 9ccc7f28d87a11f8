"""The whole flow on one screen: each command as a function that returns its document.

Models are paths of .tflite files, or `Model`s; where a project folder is taken, a folder.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from edgekit import checks, device
from edgekit import data as sources
from edgekit import fixing
from edgekit import inspection
from edgekit import memories, output, profiling, profiling_device, samples
from edgekit import validation
from edgekit.board import Board, load_board
from edgekit.board_list import boards
from edgekit.codegen import ModelCode
from edgekit.documents import document, issue
from edgekit.emulators.tflm_host import TflmLink
from edgekit.errors import Mismatch, UsageError
from edgekit.golden import Golden
from edgekit.macs import model_section
from edgekit.model import Model, compile_plan
from edgekit.opening import (as_model, is_folder, known_runtime, model_and_board, on_device,
                             opened_source)
from edgekit.profiling_tflm import profile_tflm
from edgekit.project import RUNTIMES, builder, compose, model_code, open_project

LINKS = ("auto", "memory", "frames")


def inspect(model) -> dict:
    """`edgekit.inspect`."""
    return inspection.inspect(as_model(model))


def check(model, board: str, runtime: str = "tflm", fix_to=None) -> dict:
    """`edgekit.check`; its `exit` is the command's.

    With `fix_to`, a path, what can be mended is saved there and the mended model is judged.
    """
    taken, there, runtime = as_model(model), load_board(board), known_runtime(runtime)
    fixed = None
    if fix_to is not None:
        taken, fixed = fixing.fix_file(taken, fix_to)
    return inspection.check(taken, there, runtime) | {"fixed": fixed}


def generate(model, board: str, out, *, runtime: str = "tflm", form: str | None = None,
             optimize: str = "balanced", name: str | None = None, force: bool = False) -> dict:
    """Write a project folder; `edgekit.generate` lists its files."""
    taken = as_model(model, name)
    code = model_code(taken, load_board(board), known_runtime(runtime), optimize)
    project = compose(taken, code, load_board(board), form, optimize)
    output.write_project(project, Path(out), force=force)
    return document("generate", project=str(out), sha256=project.sha256,
                    aot_saves=_aot_saves(taken, code, load_board(board))
                    if runtime == "tflm" else None,
                    placement=memories.placed(load_board(board), code.map),
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
    with opened_source(source, board, "emulator", runtime, engine, toolchain, optimize) as run:
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
    opened = on_device(source, board, target, baud) if device.is_device(target) else opened_source(
        source, board, target, runtime, engine, toolchain, optimize, frames)
    with opened as run:
        taken, labels = _samples(run.model, data, count, run.issues)
        # TFLite Micro on this PC is not compared with itself.
        on_host = isinstance(run.link, TflmLink)
        golden = Golden(run.model, of_reference=on_host)
        verdict = validation.validate(run.model, run.link, taken, labels, golden, run.compiled)
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
    model, chosen = model_and_board(source, board)
    if runtime == "both":
        found = [profile(model, chosen.name, runtime=one, engine=engine, toolchain=toolchain,
                         optimize=optimize) for one in RUNTIMES]
        return document("profiles", profiles=found)
    if known_runtime(runtime) == "tflm":
        return profile_tflm(model, chosen, optimize=optimize, toolchain=toolchain, engine=engine)
    return profiling.profile_aot(model, chosen, optimize=optimize, toolchain=toolchain,
                                 engine=engine)


def _profile_on_device(source, board: str | None, runtime: str, engine: str, toolchain: str,
                       optimize: str, target: str, baud: int | None) -> dict:
    with on_device(source, board, target, baud) as run:
        if runtime not in ("both", run.runtime):
            raise UsageError(f"the firmware on {target} is {run.runtime}, not {runtime}",
                             f"--runtime {run.runtime}, or leave --runtime out")
        found = profiling_device.measure(run.model, run.link)
    if is_folder(source):
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


def _samples(model: Model, data, count: int | None, issues: list[dict]):
    """(samples, labels or None) of the user's data, or the default ones."""
    if count is not None and count < 1:
        raise UsageError(f"{count} samples prove nothing", "give --samples 1 or more")
    if data is None:
        return samples.default_samples(model.graph, count or 20), None
    shapes = samples.input_shapes(model.graph)
    given = sources.load(data, shapes) if not isinstance(data, sources.Data) else data
    given = given.first(count or len(given))
    issues += [issue("out_of_range", text, "scale the data as they were scaled for the training")
               for text in samples.saturation(given.x, model.graph)]
    taken = samples.from_array(given.x, model.graph)
    if given.y is None or given.y.ndim != 1:
        return taken, None
    classes = model.graph.tensors[model.graph.outputs[0]].size
    return taken, sources.check_labels(given, classes).y
