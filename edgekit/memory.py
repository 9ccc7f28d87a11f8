"""Where tensors live: lifetimes, then offsets in one arena. Graph -> MemoryPlan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgekit import kernels
from edgekit.graph import Graph
from edgekit.ops.base import Call, Over
from edgekit.placing import Problem, solve

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

    No plan can be smaller than `bound`: the most bytes alive at once, where an output counts the
    bytes of an input that it may cover once, or what the search has proven. `aliases` maps a view's tensor to the placed tensor that holds it.
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


def plan(graph: Graph, calls: Sequence[tuple[Call, ...]] | None = None,
         alignment: int = ALIGNMENT) -> MemoryPlan:
    """The smallest plan found; it is proven optimal where arena_size == bound.

    Offsets are multiples of `alignment`.
    """
    calls = lower(graph) if calls is None else calls
    aliases = _aliases(graph, calls)
    blocks = _lifetimes(graph, calls, aliases, alignment)
    leads = _leads(graph, calls, aliases, blocks)
    problem = Problem(tuple(b.size for b in blocks), _ways(blocks, leads))
    bound = max((_least(blocks, leads, t) for t in range(-1, len(graph.ops) + 1)), default=0)
    offsets, is_optimal = solve(problem, _orders(blocks), bound)
    placed = [replace(block, offset=offset) for block, offset in zip(blocks, offsets, strict=True)]
    arena_size = problem.top(offsets)
    return MemoryPlan(arena_size, 16, tuple(sorted(placed, key=lambda b: (b.first, b.tensor))),
                      arena_size if is_optimal else bound, tuple(sorted(aliases.items())))


def _aliases(graph: Graph, calls: Sequence[tuple[Call, ...]]) -> dict[int, int]:
    """The tensor that really holds each view's bytes."""
    roots: dict[int, int] = {}
    for op, lowered in zip(graph.ops, calls, strict=True):
        if not lowered:
            roots[op.outputs[0]] = roots.get(op.inputs[0], op.inputs[0])
    return roots


def _lifetimes(graph: Graph, calls: Sequence[tuple[Call, ...]],
               aliases: dict[int, int], alignment: int) -> list[Placement]:
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
    blocks = [Placement(i, 0, _aligned(graph.tensors[i].nbytes, alignment), first[i], last[i])
              for i in first]
    for position, lowered in enumerate(calls):
        scratch = max((call.scratch for call in lowered), default=0)
        if scratch:
            blocks.append(Placement(-1 - position, 0, _aligned(scratch, alignment), position,
                                    position))
    return blocks


def _aligned(size: int, alignment: int = ALIGNMENT) -> int:
    return -(-size // alignment) * alignment


def _leads(graph: Graph, calls: Sequence[tuple[Call, ...]], aliases: dict[int, int],
           blocks: Sequence[Placement]) -> dict[tuple[int, int], Over]:
    """(output, input) that may overlap, by how far: where the input is not read any more later."""
    last = {b.tensor: b.last for b in blocks}
    leads = {}
    for position, lowered in enumerate(calls):
        using = [call for call in lowered if call.inputs or call.outputs]
        if len(using) != 1 or len(using[0].outputs) != 1:
            continue
        for over in using[0].over:
            root = aliases.get(over.input, over.input)
            if last.get(root) == position and (not over.exact or over.lead % ALIGNMENT == 0):
                leads[using[0].outputs[0], root] = over
    return leads


def _ways(blocks: Sequence[Placement], leads: dict[tuple[int, int], Over]):
    """How each pair of blocks that are alive together may lie."""
    ways = {}
    for j, b in enumerate(blocks):
        for i, a in enumerate(blocks[:j]):
            if b.first > a.last or a.first > b.last:
                continue
            # Either above the other; over an input, the output may begin before it.
            found = [(a.size, None), (None, -b.size)]
            if over := leads.get((a.tensor, b.tensor)):
                found[0:not over.exact] = [_apart(over)]
            elif over := leads.get((b.tensor, a.tensor)):
                low, high = _apart(over)
                found[1:1 + (not over.exact)] = [(None if high is None else -high, -low)]
            ways[i, j] = tuple(found)
    return ways


def _apart(over: Over) -> tuple[int, int | None]:
    """(least, most) bytes from the output's offset to the input's where they overlap."""
    lead = _aligned(over.lead)
    return lead, lead if over.exact else None


def _least(blocks: Sequence[Placement], leads: dict[tuple[int, int], Over], time: int) -> int:
    """Bytes that the blocks alive at a time cover together at least."""
    alive = {b.tensor: b.size for b in blocks if b.first <= time <= b.last}
    covered = {(output, root): over for (output, root), over in leads.items()
               if output in alive and root in alive}
    total = sum(alive.values())
    best = total
    for (output, root), over in covered.items():
        together = max(alive[output], _aligned(over.lead) + alive[root])
        best = min(best, total - alive[output] - alive[root] + together)
    if len(covered) > 1:  # of one output: no better than nothing beside it
        output = next(iter(covered))[0]
        inputs = sum(alive[root] for _, root in covered)
        best = min(best, total - alive[output] - inputs + max(alive[output], inputs))
    return best


def _orders(blocks: Sequence[Placement]) -> list[list[int]]:
    """The orders that first fit is tried in."""
    keys = (lambda b: (-b.size, b.first), lambda b: (b.first, -b.size),
            lambda b: (-b.last, -b.size), lambda b: (b.first - b.last, -b.size))
    return [sorted(range(len(blocks)), key=lambda i, key=key: key(blocks[i])) for key in keys]
