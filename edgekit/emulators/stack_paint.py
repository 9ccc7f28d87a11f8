"""How deep a stack was: it is painted before, and what was written over shows afterwards."""

from __future__ import annotations

from edgekit.emulators.elf import Program

PAINT = b"\xa5"


def stack_section(program: Program) -> tuple[int, int] | None:
    """[first, last) addresses of the stack that our linker script lays out; None without it."""
    limit, top = program.symbols.get("__stack_limit"), program.symbols.get("__stack_top")
    return (limit, top) if limit is not None and top is not None else None


def painted_peak(stack: bytes) -> int:
    """Bytes written, from the deepest one up, of a stack's bytes by address."""
    return len(stack.lstrip(PAINT))
