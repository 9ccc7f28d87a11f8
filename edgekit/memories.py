"""Which memory things go into: the arena by its size, hot constants by how often they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edgekit import ops
from edgekit.board import Board, Memory
from edgekit.graph import Graph, Op

# Bytes of a bare-metal firmware's stack; the aot runtime needs a few hundred, the rest is the
# application's and its interrupts'.
STACK_SIZE = 4096


def rams(board: Board) -> list[Memory]:
    """The board's RAMs, the fastest first; equally fast ones as the board's file has them."""
    return sorted(board.memories("ram"), key=lambda memory: memory.wait_states)


def arena_memory(board: Board, arena_size: int) -> Memory | None:
    """The fastest RAM that holds the arena, beside the stack where that is the first one.

    None where an operating system hands memory out. Where no RAM is large enough it is the
    largest one, of which the linker says how much is missing.
    """
    found = rams(board)
    fitting = [m for m in found if arena_size + (STACK_SIZE if m is found[0] else 0) <= m.size]
    return fitting[0] if fitting else max(found, key=lambda memory: memory.size, default=None)


def largest_arena(board: Board) -> int:
    """Bytes of the largest RAM: an arena lies in one; 0 where an operating system hands it out."""
    return max((memory.size for memory in board.memories("ram")), default=0)


def ram_for_constants(board: Board, arena_size: int, optimize: str) -> int:
    """Bytes of RAM that constants may take from a slower flash: half of what arena and stack
    leave in the fastest RAM, and none but with `optimize` speed."""
    slow = any(memory.wait_states for memory in board.memories("flash"))
    if optimize != "speed" or not slow or not board.ram_size:
        return 0
    fastest = rams(board)[0]
    taken = STACK_SIZE + (arena_size if arena_memory(board, arena_size) is fastest else 0)
    return max(0, fastest.size - taken) // 2


def reads(graph: Graph, op: Op, largest: int) -> int:
    """How often an inference reads each of an operator's constants, estimated: its arithmetic
    over the bytes of the `largest` one. A convolution's are read once per output pixel (or per
    two, four: kernels differ), a fully connected layer's once."""
    module = ops.get(op.kind)
    work = module.macs(graph, op) or sum(t.size for t in graph.outputs_of(op))
    return max(1, work // max(1, largest))


def placed(board: Board, map: Mapping) -> list[dict]:
    """What of a NAME.map.json lies in which of the board's memories: `what` is the arena or
    constants, `count` how many and `bytes` their sum, `reads` the fewest and most an inference
    reads each (estimated). Empty where an operating system hands memory out."""
    flash, ram = board.memories("flash"), rams(board)
    if not flash or not ram:
        return []
    size = map["arena"]["size"]
    found = [{"what": "arena", "memory": arena_memory(board, size).name, "count": 1,
              "bytes": size, "reads": None}]
    for kind, memory in (("ram", ram[0]), ("flash", flash[0])):
        rows = [row for row in map.get("constants", ()) if row["kind"] == kind]
        if rows:
            counts = [row["reads"] for row in rows]
            found.append({"what": "constants", "memory": memory.name, "count": len(rows),
                          "bytes": sum(row["bytes"] for row in rows),
                          "reads": [min(counts), max(counts)]})
    return found


def hot(constants: Iterable[tuple[str, int, int]], budget: int) -> frozenset[str]:
    """The names of (name, bytes, reads) that go into `budget` bytes of RAM: those read most often
    first, and only what is read more than once, since it is copied there when firmware starts."""
    chosen = set()
    for name, size, count in sorted(constants, key=lambda c: (-c[2], c[1], c[0])):
        if count > 1 and size <= budget:
            chosen.add(name)
            budget -= size
    return frozenset(chosen)
