"""Where tensors live: lifetimes, then offsets in one arena. Graph -> MemoryPlan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgekit import kernels
from edgekit.graph import Graph
from edgekit.ops.base import Call

ALIGNMENT = 4  # bytes: word loads on every core edgekit knows


@dataclass(frozen=True, slots=True)
class Placement:
    """Bytes offset..offset+size hold `tensor` from operator position `first` to `last`.

    Tensors are named by their index in the graph; scratch of operator position p is -1 - p.
    Inputs begin at position -1, outputs end at the number of operators.
    """

    tensor: int
    offset: int
    size: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Offsets for every tensor an inference stores.

    `bound` is the most bytes alive at once: no plan without overlapping an operator's input and
    output can be smaller. `aliases` maps a view's tensor to the placed tensor that holds it.
    """

    arena_size: int
    alignment: int
    placements: tuple[Placement, ...]
    bound: int
    aliases: tuple[tuple[int, int], ...] = ()

    def offset(self, tensor: int) -> int:
        """The tensor's place in the arena, in bytes."""
        root = dict(self.aliases).get(tensor, tensor)
        return next(p.offset for p in self.placements if p.tensor == root)


def lower(graph: Graph, sets: Sequence[str] = (),
          optimize: str = "balanced") -> tuple[tuple[Call, ...], ...]:
    """The kernel calls of each operator, none for a view; `sets` as in `board.cpu.kernels`."""
    return tuple(kernels.lower(graph, op, sets, optimize) for op in graph.ops)


def plan(graph: Graph, calls: Sequence[tuple[Call, ...]] | None = None) -> MemoryPlan:
    """The smallest plan found; it is optimal where arena_size == bound."""
    calls = lower(graph) if calls is None else calls
    aliases = _aliases(graph, calls)
    blocks = _lifetimes(graph, calls, aliases)
    bound = max((sum(b.size for b in blocks if b.first <= t <= b.last)
                 for t in range(-1, len(graph.ops) + 1)), default=0)
    placed = min(_candidates(blocks, bound), key=_top)
    return MemoryPlan(_top(placed), 16, tuple(sorted(placed, key=lambda b: (b.first, b.tensor))),
                      bound, tuple(sorted(aliases.items())))


def _aliases(graph: Graph, calls: Sequence[tuple[Call, ...]]) -> dict[int, int]:
    """The tensor that really holds each view's bytes."""
    roots: dict[int, int] = {}
    for op, lowered in zip(graph.ops, calls, strict=True):
        if not lowered:
            roots[op.outputs[0]] = roots.get(op.inputs[0], op.inputs[0])
    return roots


def _lifetimes(graph: Graph, calls: Sequence[tuple[Call, ...]],
               aliases: dict[int, int]) -> list[Placement]:
    """Every stored tensor and scratch as a placement at offset 0."""
    first: dict[int, int] = {i: -1 for i in graph.inputs}
    last: dict[int, int] = {i: -1 for i in graph.inputs}
    for position, op in enumerate(graph.ops):
        for i in op.outputs:
            first.setdefault(aliases.get(i, i), position)
        for i in (*op.inputs, *op.outputs):
            root = aliases.get(i, i)
            if root in first:
                last[root] = position
    for i in graph.outputs:
        last[aliases.get(i, i)] = len(graph.ops)
    blocks = [Placement(i, 0, _aligned(graph.tensors[i].nbytes), first[i], last[i]) for i in first]
    for position, lowered in enumerate(calls):
        scratch = max((call.scratch for call in lowered), default=0)
        if scratch:
            blocks.append(Placement(-1 - position, 0, _aligned(scratch), position, position))
    return blocks


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _top(placed: Iterable[Placement]) -> int:
    return max((p.offset + p.size for p in placed), default=0)


def _candidates(blocks: list[Placement], bound: int):
    """First-fit plans in several orders, then orders mended where they went wrong."""
    orders = [sorted(blocks, key=key) for key in (
        lambda b: (-b.size, b.first), lambda b: (b.first, -b.size), lambda b: (-b.last, -b.size),
        lambda b: (b.first - b.last, -b.size))]
    for order in orders:
        best = _first_fit(order)
        yield best
        # The block that sticks out highest goes first next time, until that repeats itself.
        seen = set()
        while _top(best) > bound and tuple(b.tensor for b in order) not in seen:
            seen.add(tuple(b.tensor for b in order))
            worst = max(best, key=lambda b: (b.offset + b.size, b.tensor)).tensor
            order = sorted(order, key=lambda b: b.tensor != worst)
            best = _first_fit(order)
            yield best


def _first_fit(order: Sequence[Placement]) -> list[Placement]:
    """Each block in turn at the lowest offset free during its whole life."""
    placed: list[Placement] = []
    for block in order:
        offset = 0
        for other in sorted((p for p in placed if p.first <= block.last and block.first <= p.last),
                            key=lambda p: p.offset):
            if offset + block.size <= other.offset:
                break
            offset = max(offset, other.offset + other.size)
        placed.append(Placement(block.tensor, offset, block.size, block.first, block.last))
    return placed
