"""One firmware of many one-operator models, so that their kernels run on an emulated core."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

from edgekit import memory
from edgekit.board import Board
from edgekit.builders import cmake
from edgekit.checks import plan_problems
from edgekit.codegen import ModelCode, Project, SelfTest
from edgekit.firmware import Firmware
from edgekit.graph import Graph
from edgekit.runtimes import aot


def code_of(graph: Graph, number: int, sets: tuple[str, ...], board: str = "any") -> ModelCode:
    """The model case_<number>, with the kernels of a board that has these sets."""
    calls = memory.lower(graph, sets)
    plan = memory.plan(graph, calls)
    assert plan_problems(graph, plan, calls) == []
    return aot.generate(graph, plan, f"case_{number}", "0" * 64, board, calls)


def build(codes: list[ModelCode], board: Board, folder: Path, toolchain: str = "gcc") -> Firmware:
    """All models in one ELF: the first is the application's, the linker keeps the others."""
    first = codes[0]
    files = {path: data for code in codes for path, data in code.files.files}
    kept = " ".join(f"-Wl,-u,{code.name}_invoke" for code in codes)
    files["model.cmake"] = f"target_link_options({first.name} PRIVATE {kept})\n".encode()
    together = replace(first, files=Project.of(files),
                       sources=tuple(sorted({path for code in codes for path in code.sources})))
    sizes = [tuple(bytes(entry["bytes"]) for entry in first.map[side])
             for side in ("inputs", "outputs")]
    cmake.project(together, SelfTest(*sizes), board).write(folder)
    return cmake.build(folder, board, toolchain=toolchain)


def link_to(machine, code: ModelCode):
    """The booted machine as a Link to another model of its firmware, for uncounted inferences."""
    link = copy.copy(machine)
    link._map, link._name, link._addresses, link._inputs = code.map, code.name, {}, None
    return link
