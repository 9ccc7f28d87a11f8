"""Kernels for instruction sets: which kernel calls do an operator on a board.

A board names its sets in `cpu.kernels`, the preferred one first. `edgekit/kernels/<set>/<op>.py`
has `lower(graph, op, optimize)`: the calls, or None where a kernel's proven conditions are not met.
The portable kernels of `edgekit/ops/` are always there.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from edgekit import ops
from edgekit.errors import BadBoard
from edgekit.graph import Graph, Op
from edgekit.ops.base import Call


def lower(graph: Graph, op: Op, sets: Sequence[str] = (),
          optimize: str = "balanced") -> tuple[Call, ...]:
    """The kernel calls of one operator; none for a view. BadBoard for a set that is not known."""
    portable = ops.get(op.kind).lower(graph, op)
    if not portable:
        return portable
    for name in sets:
        if name not in known():
            raise BadBoard(f"there are no kernels named '{name}'", f"known: {', '.join(known())}")
        module = _module(name, op.kind)
        calls = module and module.lower(graph, op, optimize)
        if calls is not None:
            return calls
    return portable


@cache
def _module(name: str, kind: str) -> ModuleType | None:
    """A set's module for an operator, None for one that it has no kernel for."""
    is_there = (Path(__file__).parent / name / f"{kind.lower()}.py").is_file()
    return importlib.import_module(f"edgekit.kernels.{name}.{kind.lower()}") if is_there else None


def known() -> tuple[str, ...]:
    """The names of all sets."""
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")))
