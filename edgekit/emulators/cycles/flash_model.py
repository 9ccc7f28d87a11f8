"""The flash of a board as its TOML gives it: wait states behind least-recently-used caches."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.board import Board


@dataclass(frozen=True, slots=True)
class FlashModel:
    """A line of `line` bytes that is in no cache costs `miss` cycles.

    The caches hold `instruction` and `data` lines, or `unified` ones for both, and are fully
    associative. A missing line is read whole, one flash access of 1 + wait states after the
    other, and nothing is prefetched: the result is an upper end.
    """

    origin: int
    size: int
    miss: int
    line: int
    instruction: int
    data: int
    unified: bool


def flash_model(board: Board) -> FlashModel | None:
    """The first flash with wait states; None where code and constants are read at once."""
    slow = next((m for m in board.memories("flash") if m.wait_states), None)
    if slow is None:
        return None
    cache = dict(slow.cache)
    line = cache.get("line", 4)
    accesses = line // cache.get("read", line)
    unified = cache.get("unified", 0)
    # Without a cache the line that was read last is still there.
    sizes = [max(1, (unified or cache.get(kind, 0)) // line) for kind in ("instruction", "data")]
    return FlashModel(slow.origin, slow.size, accesses * (1 + slow.wait_states), line, *sizes,
                      bool(unified))
