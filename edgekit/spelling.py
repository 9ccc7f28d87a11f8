"""How values are spelled on the command line: sizes, percentages, seconds, lists of numbers, scopes with a value."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

_UNITS = {"": 1, "K": 1024, "M": 1024 ** 2, "G": 1024 ** 3}


def size(text: str) -> int:
    """Bytes: 4096, 64K, 1M."""
    match = re.fullmatch(r"(\d+)([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size like 4096, 64K or 1M")
    return int(match[1]) * _UNITS[match[2].upper()]


def share(kind: Callable):
    """What `kind` reads, or a percentage as it is written: 50%."""
    def read(text: str):
        if not text.endswith("%"):
            return kind(text)
        if not re.fullmatch(r"\d+(\.\d+)?%", text) or not 0 < float(text[:-1]) <= 100:
            raise argparse.ArgumentTypeError(f"'{text}' is not a percentage like 50%")
        return text
    return read


def seconds(text: str) -> float:
    """Seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not seconds like 0.05")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not numbers like -1,0.5,1") from None


def bits(text: str) -> tuple[str | None, int]:
    """(scope or None, bits): 4, or conv*=4."""
    scope, _, count = text.rpartition("=")
    if not count.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not bits like 4 or conv*=4")
    return scope or None, int(count)


def weights(text: str) -> tuple[str | None, str]:
    """(scope or None, type): int4, or conv*=int4."""
    scope, _, dtype = text.rpartition("=")
    if dtype not in ("int8", "int4"):
        raise argparse.ArgumentTypeError(f"'{text}' is not weights like int4 or conv*=int4")
    return scope or None, dtype


def by_scope(given: list[tuple]):
    """One value for all layers, or a mapping of scopes to values; None where nothing is given."""
    found = {"*" if scope is None else scope: value for scope, value in given}
    return found["*"] if list(found) == ["*"] else found or None
