"""Instructions of each operator from what QEMU's plugin notes: entries, and NAME_invoke itself.

Every instruction of NAME_invoke and the first one of every operator is noted, each with the
count before it. An operator ends with the next instruction of NAME_invoke.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit.emulators.elf import Program


def entries(program: Program, map: Mapping[str, object]) -> dict[int, list[int]]:
    """Operators by the address of their function; code that was merged has several."""
    found: dict[int, list[int]] = {}
    for index, op in enumerate(map["ops"]):
        if op["symbol"] is not None:
            found.setdefault(program.symbol(op["symbol"]), []).append(index)
    return found


def ranges(program: Program, map: Mapping[str, object]) -> list[tuple[int, int]]:
    """[first, last) addresses to note; none where the map has no operators' functions."""
    functions = entries(program, map)
    if not functions:
        return []
    invoke = f"{map['name']}_invoke"
    start = program.symbol(invoke)
    return [(start, start + program.size(invoke)), *((at, at + 1) for at in functions)]


def op_counts(program: Program, map: Mapping[str, object], noted: Sequence[tuple[int, int]],
              end: int) -> tuple[int, ...]:
    """Instructions of each operator in file order; `end` is the count after the run."""
    waiting = entries(program, map)
    if not waiting:
        return ()
    counts = [0] * len(map["ops"])
    for i, (address, before) in enumerate(noted):
        if waiting.get(address):
            after = noted[i + 1][1] if i + 1 < len(noted) else end
            counts[waiting[address].pop(0)] = after - before
    return tuple(counts)
