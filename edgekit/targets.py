"""Where a model can run on this PC: from a target and an engine to an open Link."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from edgekit import checks, memories, reference, samples, toolchains, tools, workspace
from edgekit.board import Board, load_board
from edgekit.builders import cmake
from edgekit.codegen import ModelCode, SelfTest
from edgekit.emulators import qemu_machines
from edgekit.emulators.framed import open_framed
from edgekit.emulators.native import open_native
from edgekit.emulators.qemu import QemuMachine, open_qemu
from edgekit.emulators.reference import ReferenceLink
from edgekit.emulators.worker import WorkerMachine, open_in_worker
from edgekit.errors import DoesNotFit, UsageError
from edgekit.firmware import Firmware
from edgekit.golden import Golden
from edgekit.graph import Graph
from edgekit.link import Link
from edgekit.model import Model, compile_plan, compiled_graph
from edgekit.runtimes import aot

FIRMWARE_ENGINES = ("unicorn", "qemu")
ENGINES = ("auto", "reference", "native", *FIRMWARE_ENGINES)


def aot_code(model: Model, board: Board, optimize: str = "balanced") -> ModelCode:
    """The model compiled ahead of time for a board; DoesNotFit before anything is built."""
    graph, calls, plan = compile_plan(model, board.cpu.kernels, optimize)
    ram = memories.ram_for_constants(board, plan.arena_size, optimize)
    code = aot.generate(graph, plan, model.name, model.sha256, board.name, calls, ram)
    limit = memories.largest_arena(board)
    if limit and plan.arena_size > limit:
        largest = max((t for t in graph.tensors if not t.is_constant), key=lambda t: t.nbytes)
        raise DoesNotFit(
            f"the model needs {plan.arena_size:,} bytes of RAM; {board.title} has "
            f"{limit:,}", f"the largest tensor is '{largest.name}' "
            f"({largest.nbytes:,} bytes): prune the model or choose a larger board")
    weights = sum(entry["bytes"] for entry in code.map["constants"])
    if board.flash_size and weights > board.flash_size:
        largest = max((t for t in graph.tensors if t.is_constant), key=lambda t: t.nbytes)
        raise DoesNotFit(
            f"the model's constants need {weights:,} bytes of flash; {board.title} has "
            f"{board.flash_size:,}", f"the largest is '{largest.name}' ({largest.nbytes:,} "
            "bytes): prune the model or choose a larger board")
    return code


def selftest(model: Model) -> SelfTest:
    """One seeded random sample and the outputs the reference gives for it; for a model that it
    cannot run (int16, float), those of TensorFlow Lite Micro, BadModel where that is not here."""
    sample = samples.random_samples(model.graph, 1)[0]
    if checks.unsupported(model.graph):
        golden = Golden(model)
        golden.run(sample)
        return SelfTest(tuple(value.tobytes() for value in sample),
                        tuple(golden.tensor(i) for i in model.graph.outputs))
    values = reference.run(model.graph, sample)
    return SelfTest(tuple(value.tobytes() for value in sample),
                    tuple(values[i].tobytes() for i in model.graph.outputs))


def emulated(board: Board) -> Board:
    """The board whose firmware stands for this one on the emulator, with this one's core; most
    boards themselves."""
    return replace(load_board(board.emulated_as), cpu=board.cpu) if board.emulated_as else board


def choose_engine(board: Board, engine: str) -> str:
    """The engine that `auto` stands for: the most real one that this machine can run."""
    if engine not in ENGINES:
        raise UsageError(f"unknown engine '{engine}'", f"one of {', '.join(ENGINES)}")
    if engine == "qemu":
        qemu_machines.program(emulated(board))
    if engine != "auto":
        return engine
    if "unicorn" in board.emulators:
        packages, program = ("unicorn", "capstone", "elftools"), None
    elif "qemu" in board.emulators:
        packages, program = ("elftools",), qemu_machines.program(board)
    else:
        return "native" if "native" in board.emulators else "reference"
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing or program and not tools.find(program) or not toolchains.available(emulated(board)):
        return "reference"
    return "qemu" if program else "unicorn"


def graph_behind(link: Link, model: Model) -> Graph:
    """What a link of the aot runtime computes: the compiled graph, or by the reference the file's."""
    return model.graph if isinstance(link, ReferenceLink) else compiled_graph(model)


def open_firmware(engine: str, firmware: Firmware, board: Board,
                  map: Mapping[str, object]) -> AbstractContextManager[WorkerMachine | QemuMachine]:
    """Firmware on an emulated board, by one of `FIRMWARE_ENGINES`."""
    return (open_qemu if engine == "qemu" else open_in_worker)(firmware, board, map)


@contextmanager
def open_link(model: Model, board: Board, *, target: str = "emulator", engine: str = "auto",
              toolchain: str = "auto", optimize: str = "balanced",
              frames: bool = False) -> Iterator[Link]:
    """A Link to the model on `target`: `native` (generated C on this PC) or `emulator`.

    `frames`: the emulated firmware is talked to through its UART, not by its memory.
    """
    if target == "native":
        engine = "native"
    elif target != "emulator":
        raise UsageError(f"unknown target '{target}'", "one of native, emulator, serial:PORT")
    engine = choose_engine(board, engine)
    if frames and engine not in FIRMWARE_ENGINES:
        raise UsageError(f"the engine {engine} has no UART", "--engine unicorn or qemu, or leave "
                         "--link out")
    if engine == "reference":
        yield ReferenceLink(model)
    elif engine == "native":
        with open_native(aot_code(model, board, optimize)) as link:
            yield link
    else:
        code = aot_code(model, emulated(board), optimize)
        with open_code(code, model, board, engine, toolchain, optimize, frames) as machine:
            yield machine


@contextmanager
def open_code(code: ModelCode, model: Model, board: Board, engine: str, toolchain: str,
              optimize: str, frames: bool = False) -> Iterator[Link]:
    """A model's code, made for the board that is emulated, in firmware of form cmake."""
    board = emulated(board)
    project = cmake.project(code, selftest(model), board, optimize=optimize)
    firmware = workspace.built(project, board, toolchain, optimize,
                               emulated=True if frames else None, link=frames)
    opened = open_framed(engine, firmware, board) if frames else open_firmware(
        engine, firmware, board, code.map)
    with opened as machine:
        yield machine
