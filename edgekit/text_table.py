"""Tables for a terminal: numbers with their thousands."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Columns as wide as they need; a column of numbers is right-aligned."""
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in range(len(header))]
    right = [bool(rows) and all(isinstance(row[i], (int, float)) or row[i] is None
                                for row in rows) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "  ".join(text.rjust(width) if to_right else text.ljust(width) for
                         text, width, to_right in zip(row, widths, right, strict=True)).rstrip()

    return "\n".join([line(header), line(["-" * width for width in widths]), *map(line, cells)])


def cell(value: object) -> str:
    """A value as text; unknown is a question mark."""
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return str(value)


def milliseconds(latency_s: Sequence[float] | None) -> str | None:
    """'73.6 - 96', an estimate's two ends."""
    if latency_s is None:
        return None
    ends = [f"{1000 * end:.3g}" for end in latency_s]
    return " - ".join(ends) if ends[0] != ends[1] else ends[0]


def between(ends: Sequence[int] | None) -> str | None:
    """Both ends of a range, or the number where they are one."""
    if ends is None:
        return None
    low, high = ends
    return f"{low:,} - {high:,}" if low != high else f"{low:,}"


PROFILE_HEADER = ("runtime", "flash code", "weights", "tables", "flash total", "arena", "stack",
                  "RAM total", "instructions", "latency ms")


def profile_row(d: dict) -> tuple:
    """One line of a table of profiles."""
    flash, ram = d["flash"], d["ram"]
    return (d["runtime"], flash["code"], flash["weights"], flash["tables"], flash["total"],
            ram["arena"], ram["peak_stack"], ram["total"], d["time"]["instructions"],
            milliseconds(d["time"]["latency_s"]))
