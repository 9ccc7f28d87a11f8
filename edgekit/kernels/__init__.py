"""Kernels for instruction sets: which kernel calls do an operator on a board.

A board names its sets in `cpu.kernels`, the preferred one first. `edgekit/kernels/<set>/` has
`lower(graph, op, optimize)`: the calls, or None for an operator that the set has no kernel for or
that does not meet a kernel's proven conditions. The portable kernels of `edgekit/ops/` are always there.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

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
        calls = importlib.import_module(f"edgekit.kernels.{name}").lower(graph, op, optimize)
        if calls is not None:
            return calls
    return portable


def known() -> tuple[str, ...]:
    """The names of all sets."""
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")))
