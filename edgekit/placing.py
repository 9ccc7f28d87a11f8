"""Where blocks go in one arena: how two blocks may lie, a first plan, branch and bound on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# One way for two blocks to lie: the bounds of (offset of the second - offset of the first); None
# is no bound. A pair may have several.
Way = tuple[int | None, int | None]
# Work that a search may take: shapes of some twenty alive tensors are not worth minutes.
LIMIT = 3000


@dataclass(frozen=True)
class Problem:
    """`sizes` in bytes; `ways` of pairs (i, j), i < j, that may not lie anywhere."""

    sizes: tuple[int, ...]
    ways: Mapping[tuple[int, int], tuple[Way, ...]]

    def ways_of(self, i: int, j: int) -> tuple[Way, ...] | None:
        """The ways for (offset of j - offset of i); None where any will do."""
        if i < j:
            return self.ways.get((i, j))
        found = self.ways.get((j, i))
        return found and tuple((None if high is None else -high, None if low is None else -low)
                               for low, high in found)

    def top(self, offsets: Sequence[int]) -> int:
        return max((o + size for o, size in zip(offsets, self.sizes, strict=True)), default=0)


def solve(problem: Problem, orders: Sequence[Sequence[int]], bound: int) -> tuple[list[int], bool]:
    """(offsets, whether no better ones exist): first fit in `orders` of the blocks, mended where
    they went wrong, then branch and bound. `bound` is one that no plan can be below."""
    best = min(_candidates(problem, orders, bound), key=problem.top)
    if problem.top(best) == bound:
        return best, True
    search = _Search(problem, best, bound)
    search.run()
    return search.best, not search.gave_up or problem.top(search.best) == bound


def _candidates(problem: Problem, orders: Sequence[Sequence[int]],
                bound: int) -> Iterator[list[int]]:
    for order in orders:
        best = _first_fit(problem, order)
        yield best
        # The block that sticks out highest goes first next time, until that repeats itself.
        seen = set()
        while problem.top(best) > bound and tuple(order) not in seen:
            seen.add(tuple(order))
            worst = max(order, key=lambda i: (best[i] + problem.sizes[i], i))
            order = sorted(order, key=lambda i: i != worst)
            best = _first_fit(problem, order)
            yield best


def _first_fit(problem: Problem, order: Sequence[int]) -> list[int]:
    """Each block in turn at the lowest offset that those before it leave."""
    offsets: dict[int, int] = {}
    for block in order:
        limits = [(offsets[other], ways) for other in offsets
                  if (ways := problem.ways_of(other, block)) is not None]
        tries = sorted({0, *(at + low for at, ways in limits for low, _ in ways
                             if low is not None and at + low > 0)})
        offsets[block] = next(offset for offset in tries
                              if all(_is_way(offset - at, ways) for at, ways in limits))
    return [offsets[i] for i in range(len(problem.sizes))]


def _is_way(distance: int, ways: tuple[Way, ...]) -> bool:
    return any((low is None or distance >= low) and (high is None or distance <= high)
               for low, high in ways)


class _Search:
    """Branch and bound: a node has chosen a way for some pairs, and the lowest offsets that these
    leave; it branches on a pair that lies in no way of its own."""

    def __init__(self, problem: Problem, best: list[int], bound: int):
        self.problem, self.best, self.bound = problem, best, bound
        self.nodes, self.gave_up = 0, False
        self._best_top = problem.top(best)
        sizes = problem.sizes
        self._pairs = sorted(problem.ways, key=lambda p: (-min(sizes[p[0]], sizes[p[1]]),
                                                          -max(sizes[p[0]], sizes[p[1]]), p))

    def run(self) -> None:
        self._branch([0] * len(self.problem.sizes), [[] for _ in self.problem.sizes])

    def _branch(self, offsets: list[int], arcs: list[list[tuple[int, int]]]) -> None:
        """`arcs[i]`: (j, least offset of j - offset of i) of the ways chosen so far."""
        if self._best_top == self.bound or self.gave_up:
            return
        self.nodes += 1
        if self.nodes > LIMIT:
            self.gave_up = True
            return
        pair = next((p for p in self._pairs if not _is_way(
            offsets[p[1]] - offsets[p[0]], self.problem.ways[p])), None)
        if pair is None:
            self.best, self._best_top = offsets, self.problem.top(offsets)
            return
        children = []
        for low, high in self.problem.ways[pair]:
            chosen = ([(pair[0], pair[1], low)] if low is not None else []) + (
                [(pair[1], pair[0], -high)] if high is not None else [])
            moved = self._moved(offsets, arcs, chosen)
            if moved is not None:
                children.append((self.problem.top(moved), moved, chosen))
        for top, moved, chosen in sorted(children, key=lambda child: child[0]):
            if top >= self._best_top:
                break
            for source, target, least in chosen:
                arcs[source].append((target, least))
            self._branch(moved, arcs)
            for source, _, _ in chosen:
                arcs[source].pop()

    def _moved(self, offsets: list[int], arcs: list[list[tuple[int, int]]],
               chosen: list[tuple[int, int, int]]) -> list[int] | None:
        """The lowest offsets with the chosen arcs too, None where they reach the best plan's top
        (so does every cycle)."""
        moved, added = list(offsets), {}
        for source, target, least in chosen:
            added.setdefault(source, []).append((target, least))
        todo = [source for source, _, _ in chosen]
        while todo:
            source = todo.pop()
            for target, least in (*arcs[source], *added.get(source, ())):
                if moved[source] + least > moved[target]:
                    moved[target] = moved[source] + least
                    if moved[target] + self.problem.sizes[target] >= self._best_top:
                        return None
                    todo.append(target)
        return moved
