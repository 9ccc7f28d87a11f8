"""Memory as text: what lies in which; the arena's plan, what bounds it and its bytes over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

BANDS = 16  # lines of the drawing
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def verdict(arena: int, bound: int) -> str:
    """How good a plan is."""
    if arena == bound:
        return f"arena {arena:,} bytes, proven smallest"
    return (f"arena {arena:,} bytes, no plan is below {bound:,}: at most "
            f"{(arena - bound) / arena:.1%} could be saved")


def rows(plan: Sequence[Mapping]) -> list[tuple]:
    """(letter in the drawing, offset, bytes, first and last operator, name) of each block; of the
    names that a converter fused the first."""
    return [(letter, entry["offset"], entry["bytes"], f"{entry['first']}..{entry['last']}",
             entry["name"].split(";")[0][-40:]) for letter, entry in zip(_letters(plan), plan, strict=True)]


def over_time(plan: Sequence[Mapping], arena: int) -> list[str]:
    """A column for the input, each operator and the output, a line for a sixteenth of the arena:
    whose bytes lie there, # for scratch, * where an operator's output takes its input's place."""
    if not plan or not arena:
        return []
    last = max(entry["last"] for entry in plan)
    lines = []
    for band in reversed(range(BANDS)):
        low, high = band * arena / BANDS, (band + 1) * arena / BANDS
        cells = [_cell(plan, low, high, position) for position in range(-1, last + 1)]
        lines.append(f"{round(low):9,d} |" + "".join(cells) + "|")
    return lines


def _cell(plan: Sequence[Mapping], low: float, high: float, position: int) -> str:
    there = [letter for letter, entry in zip(_letters(plan), plan, strict=True)
             if entry["first"] <= position <= entry["last"] and entry["offset"] < high
             and entry["offset"] + entry["bytes"] > low and _lies(plan, entry, position, low, high)]
    return there[0] if len(there) == 1 else "*" if there else " "


def _lies(plan: Sequence[Mapping], entry: Mapping, position: int, low: float, high: float) -> bool:
    """Whether it shares bytes with another one in the band, or has the largest part of it."""
    def part(e: Mapping) -> float:
        return min(high, e["offset"] + e["bytes"]) - max(low, e["offset"])

    others = [e for e in plan if e is not entry and e["first"] <= position <= e["last"]
              and part(e) > 0]
    shares = any(min(e["offset"] + e["bytes"], entry["offset"] + entry["bytes"])
                 > max(e["offset"], entry["offset"]) for e in others)
    return shares or all((part(entry), -entry["offset"]) > (part(e), -e["offset"]) for e in others)


def _letters(plan: Sequence[Mapping]) -> list[str]:
    number, letters = 0, []
    for entry in plan:
        letters.append("#" if entry["tensor"] < 0 else _LETTERS[number % len(_LETTERS)])
        number += entry["tensor"] >= 0
    return letters


def placement(placed: Iterable[dict]) -> list[str]:
    """A line for each of `memories.placed`: 'constants in sram: 12, 22,016 bytes, each read 1 to
    125 times an inference (estimated)'."""
    lines = []
    for row in placed:
        if row["what"] == "arena":
            lines.append(f"arena in {row['memory']}: {row['bytes']:,} bytes")
            continue
        low, high = row["reads"]
        times = f"{low:,}" + (f" to {high:,}" if high != low else "")
        lines.append(f"constants in {row['memory']}: {row['count']}, {row['bytes']:,} bytes, each "
                     f"read {times} times an inference (estimated)")
    return lines
