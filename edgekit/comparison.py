"""Two results side by side: every number that differs, and whether one grew too much."""

from __future__ import annotations

import json
import re
from pathlib import Path

from edgekit.documents import document
from edgekit.errors import UsageError


def load_result(path: Path) -> dict:
    """A JSON document that edgekit wrote."""
    try:
        result = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "give a file that --json wrote") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}", "give a file that --json wrote") from error
    if not isinstance(result, dict) or not str(result.get("schema", "")).startswith("edgekit."):
        raise UsageError(f"{path} is not a result of edgekit", "give a file that --json wrote")
    return result


def compare(before: dict, after: dict, fail_on: list[str]) -> dict:
    """`edgekit.compare`; `regressions` are increases beyond PATH=N% (exit 5)."""
    left, right = _numbers(before), _numbers(after)
    rows = [{"path": path, "before": left.get(path), "after": right.get(path),
             "change": _change(left.get(path), right.get(path))}
            for path in sorted(left.keys() | right.keys()) if left.get(path) != right.get(path)]
    regressions = []
    for path, limit in (pair for rule in fail_on for pair in _rules(rule, left, right)):
        change = _change(left[path], right[path])
        if change is None and right[path] > 0 or change is not None and change > limit / 100:
            regressions.append({"path": path, "before": left[path], "after": right[path],
                                "change": change, "limit_percent": limit})
    return document("compare", differences=rows, regressions=regressions, ok=not regressions)


def _rules(text: str, left: dict, right: dict) -> list[tuple[str, float]]:
    """(path, percent) for each path that a rule stands for: * is any one part of it. What one of
    them has and the other lacks is an error, so that nothing goes unjudged."""
    pattern, limit = _rule(text)
    wanted = re.compile(re.escape(pattern).replace(r"\*", r"[^.]+"))
    paths = sorted(path for path in left.keys() | right.keys() if wanted.fullmatch(path))
    missing = next((path for path in paths or [pattern] if path not in left or path not in right),
                   None)
    if missing:
        raise UsageError(f"--fail-on {missing}: there is no number at that path in both files",
                         "paths are dotted, as ram.arena or profiles.*.time.instructions")
    return [(path, limit) for path in paths]


def _rule(text: str) -> tuple[str, float]:
    path, equals, limit = text.partition("=")
    try:
        return path, float(limit.removesuffix("%")) if equals else 0.0
    except ValueError as error:
        raise UsageError(f"--fail-on {text}: '{limit}' is not a percentage",
                         "as in --fail-on time.instructions=1%") from error


def _numbers(value: object, path: str = "") -> dict[str, float]:
    """Every number of a document by its dotted path; lists by position."""
    if isinstance(value, bool):
        return {}
    if isinstance(value, (int, float)):
        return {path: value}
    parts = (value.items() if isinstance(value, dict) else
             enumerate(value) if isinstance(value, list) else ())
    found: dict[str, float] = {}
    for key, part in parts:
        found |= _numbers(part, f"{path}.{key}" if path else str(key))
    return found


def _change(before: float | None, after: float | None) -> float | None:
    """The relative change, None where there is none to tell."""
    if before is None or after is None or before == 0:
        return None
    return (after - before) / before
