"""A model as every command takes it: the .tflite's bytes, their digest and the graph in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit import checks, tflite
from edgekit.errors import BadModel
from edgekit.graph import Graph
from edgekit.kernels import codebook
from edgekit.memory import MemoryPlan, lower, plan
from edgekit.ops.base import Call
from edgekit.passes import int4, tables
from edgekit.passes.compile import compiled
from edgekit.runtimes.header import checked_name, name_from


@dataclass(frozen=True)
class Model:
    """`name` is the stem of its C identifiers.

    `graph` is what the file computes: weights that it holds as TFLite Micro's look-up tables or
    as int4 are int8 constants there, and operators that decode them are left out.
    """

    name: str
    data: bytes
    graph: Graph

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def load_model(path: Path, name: str | None = None) -> Model:
    """A .tflite file, read and checked for being sound; its name is the file's unless given."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise BadModel(f"{path}: {error.strerror}", "give the path of a .tflite file") from error
    return model_of(data, name or name_from(Path(path).stem))


def model_of(data: bytes, name: str) -> Model:
    """A model from bytes; BadModel with every reason, UsageError for a name C cannot have."""
    return Model(checked_name(name), data, int4.widen(tables.unpack(tflite.read(data, name))))


Calls = tuple[tuple[Call, ...], ...]


def compiled_graph(model: Model) -> Graph:
    """The graph that the aot runtime computes; BadModel where it cannot."""
    return compiled(checks.require_supported(model.graph))


def compile_plan(model: Model, sets: Sequence[str] = (),
                 optimize: str = "balanced") -> tuple[Graph, Calls, MemoryPlan]:
    """The graph as the aot runtime compiles it, its kernel calls and their checked memory plan.

    `sets` are the kernel sets of the board, as in `board.cpu.kernels`; with `optimize` size,
    weights with few distinct values are stored as codebooks.
    """
    graph = compiled_graph(model)
    calls = lower(graph, sets, optimize)
    if optimize == "size":
        calls = codebook.encode(graph, calls)
    memory_plan = plan(graph, calls)
    problems = checks.plan_problems(graph, memory_plan, calls)
    if problems:
        raise AssertionError(f"the memory plan is wrong: {problems[0]}")
    return graph, calls, memory_plan
