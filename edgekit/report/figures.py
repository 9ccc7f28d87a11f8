"""Numbers as a report prints them: thousands, unit, how each was got, or why it is not known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_SI_UNITS = {"latency_s": "s", "energy_j": "J"}

# By which words of an issue's message a reader learns why a number is null.
_WORDS = {
    "code": ("code size", "flash"), "tables": ("code size", "flash"), "flash": ("code size", "flash"),
    "static": ("RAM", "code size"), "peak_stack": ("stack", "RAM"), "ram": ("stack", "RAM"),
    "activations": ("arena",), "activations_bound": ("arena",), "scratch": ("arena",),
    "arena": ("arena",), "instructions": ("instructions",), "cycles": ("cycles", "instructions"),
    "latency_s": ("latency", "instructions"), "energy_j": ("energy", "instructions"),
    "regions": ("emulated", "built", "system", "code size")}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; `text` is None where it is not known, and `reason` then says why."""

    label: str
    text: str | None
    unit: str = ""
    method: str | None = None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a whole; `width` is a percentage as CSS writes it, `share` as people read it."""

    figure: Figure
    width: str
    share: str
    colour: str = "c1"


def number(value: float) -> str:
    """Integers with thousands, other numbers with four digits that count."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number anyone measured")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def width(part: float, whole: float) -> str:
    """A CSS percentage between 0 and 100."""
    return f"{max(0.0, min(100.0, 100 * part / whole if whole else 0.0)):.2f}%"


def figure(section: Mapping, key: str, issues: Sequence[Mapping], *, label: str = "",
           unit: str = "bytes", note: str = "", about: str = "") -> Figure:
    """The number `key` of a document's section; `about` names it where `key` alone does not."""
    value, method = section[key], section["methods"].get(key)
    label = label or label_of(key)
    if value is None:
        return Figure(label, None, "", None, reason(about or key, issues), note)
    if key in _SI_UNITS:
        text, unit = _quantity(value, _SI_UNITS[key])
    else:
        text = interval(value)
    return Figure(label, text, unit, method, "", note)


def once(figures: Iterable[Figure]) -> list[Figure]:
    """The same figures; a reason that another gave already is not told again."""
    seen: set[str] = set()
    found = []
    for entry in figures:
        again = entry.text is None and entry.reason in seen
        seen.add(entry.reason)
        found.append(replace(entry, reason="for the same reason") if again else entry)
    return found


def label_of(key: str) -> str:
    """A key as words, its unit left to the number."""
    return key.removesuffix("_s").removesuffix("_j").replace("_", " ")


def reason(key: str, issues: Sequence[Mapping]) -> str:
    """The message of the issue that says why `key` is null."""
    messages = [entry["message"] for entry in issues]
    about = [m for word in _WORDS.get(key, (label_of(key),)) for m in messages if word in m]
    return (about or messages or ["the result gives no reason"])[0]


def stack(section: Mapping, keys: Sequence[str], issues: Sequence[Mapping]) -> list[Bar]:
    """The parts of a sum as the segments of one bar; no shares where a part is not known."""
    values = [section[key] for key in keys]
    whole = 0 if None in values else sum(max(value, 0) for value in values)
    return [Bar(figure(section, key, issues, unit=""), width(value or 0, whole),
                percent(value, whole) if whole else "", f"c{i}")
            for i, (key, value) in enumerate(zip(keys, values, strict=True), 1)]


def interval(value) -> str:
    """A number, or [low, high] with a dash between."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        low, high = value
        return number(low) if low == high else f"{number(low)} – {number(high)}"
    return number(value)


def _quantity(value, unit: str) -> tuple[str, str]:
    """([low, high] or a number, with an SI prefix that suits the larger; the unit)."""
    low, high = value if isinstance(value, Sequence) else (value, value)
    scale, prefix = next((p for p in _PREFIXES if high >= p[0]), _PREFIXES[-1])
    return interval([float(low) / scale, float(high) / scale]), prefix + unit
