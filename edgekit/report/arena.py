"""The arena over time as a drawing: across the operators, up the bytes, a block per tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEFT, TOP, HEIGHT, FOOT = 64, 10, 240, 136  # px
WIDTH, NARROWEST = 940, 12  # px: the whole drawing, unless a column got narrower than that
LETTER = 5.6  # px, of the drawing's small type
KINDS = (("input", "c3"), ("activation", "c1"), ("output", "c2"), ("scratch", "c4"))
SHORTEST = 4  # px: a block of few bytes is still seen


@dataclass(frozen=True, slots=True)
class Block:
    """A tensor's bytes for its life; `title` is what hovering tells, `lines` what fits in it."""

    x: str
    y: str
    width: str
    height: str
    kind: str
    title: str
    lines: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis and the text there."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    width: str
    height: str
    floor: str
    right: str
    blocks: tuple[Block, ...]
    bytes: tuple[Mark, ...]
    columns: tuple[Mark, ...]
    rows: tuple[tuple[str, str, str, str, str], ...]
    summary: str
    kinds: tuple[tuple[str, str], ...]


def draw(plan: Sequence[Mapping], arena: int, ops: Sequence[Mapping]) -> Drawing | None:
    """The drawing of a profile's `arena_plan`; None where there is nothing in the arena."""
    if not plan or not arena:
        return None
    positions = range(-1, len(ops) + 1)
    column = max(NARROWEST, (WIDTH - LEFT) // len(positions))
    scale = HEIGHT / arena
    steps = [_step(p, ops) for p in positions]
    columns = tuple(Mark(_px(LEFT + (i + 0.5) * column + 3), text) for i, text in enumerate(steps))
    right = LEFT + column * len(positions)
    blocks = tuple(_block(entry, column, scale, len(ops), steps) for entry in plan)
    return Drawing(
        _px(right + 2), _px(TOP + HEIGHT + FOOT), _px(TOP + HEIGHT), _px(right), blocks,
        tuple(Mark(_px(TOP + HEIGHT - value * scale), f"{value:,}") for value in _ticks(arena)),
        columns, tuple(_row(entry, steps) for entry in plan), _summary(plan, positions, steps),
        tuple(kind for kind in KINDS if kind[0] in {block.kind for block in blocks}))


def short(name: str, letters: int) -> str:
    """A tensor's name for a narrow place: the first of the names a converter fused, its end."""
    first = name.split(";")[0]
    return first if len(first) <= letters else "…" + first[len(first) - letters + 1:]


def _block(entry: Mapping, column: int, scale: float, last: int, steps: list[str]) -> Block:
    x = LEFT + (entry["first"] + 1) * column
    width = (entry["last"] - entry["first"] + 1) * column
    height = max(entry["bytes"] * scale, SHORTEST)
    y = TOP + HEIGHT - entry["offset"] * scale - height
    texts = [f"{entry['bytes']:,}"]
    letters = int((width - 8) / LETTER)
    if height >= 30 and letters >= 8:
        texts.insert(0, short(entry["name"], letters))
    fits = height >= 14 and letters >= len(texts[-1])
    middle = y + height / 2 + 3.5 - 6.5 * (len(texts) - 1)
    lines = tuple((_px(x + width / 2), _px(middle + 13 * i), text) for i, text in enumerate(texts))
    kind = ("scratch" if entry["tensor"] < 0 else "input" if entry["first"] < 0 else
            "output" if entry["last"] >= last else "activation")
    title = (f"{entry['name']}: {entry['bytes']:,} bytes at offset {entry['offset']:,}, "
             f"{_life(entry, steps)}")
    return Block(_px(x), _px(y), _px(width), _px(height), kind, title, lines if fits else ())


def _row(entry: Mapping, steps: list[str]) -> tuple[str, str, str, str, str]:
    return (entry["name"], f"{entry['offset']:,}", f"{entry['bytes']:,}",
            steps[entry["first"] + 1], steps[entry["last"] + 1])


def _life(entry: Mapping, steps: list[str]) -> str:
    return f"from {steps[entry['first'] + 1]} to {steps[entry['last'] + 1]}"


def _step(position: int, ops: Sequence[Mapping]) -> str:
    if position < 0:
        return "input"
    return "output" if position >= len(ops) else f"{position} {ops[position]['kind']}"


def _summary(plan: Sequence[Mapping], positions: range, steps: list[str]) -> str:
    """Which operators decide the arena's size."""
    alive = [_covered([e for e in plan if e["first"] <= p <= e["last"]]) for p in positions]
    peak = max(alive)
    at = [step for step, size in zip(steps, alive, strict=True) if size == peak]
    others = f" and {len(at) - 1} more" if len(at) > 1 else ""
    return f"Most is alive at {at[0]}{others}: {peak:,} bytes"


def _covered(blocks: Sequence[Mapping]) -> int:
    """Bytes under at least one block: an output may lie over its operator's input."""
    total = end = 0
    for block in sorted(blocks, key=lambda e: e["offset"]):
        behind = block["offset"] + block["bytes"]
        total += max(0, behind - max(end, block["offset"]))
        end = max(end, behind)
    return total


def _ticks(arena: int) -> list[int]:
    """Round numbers up the axis, then the arena's size itself."""
    step = next((m * 10 ** e for e in range(19) for m in (1, 2, 5) if m * 10 ** e * 5 >= arena),
                arena)
    return [v for v in range(0, arena, step) if arena - v > step * 0.4 or v == 0] + [arena]


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
