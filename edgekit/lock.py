"""edgekit.lock: what a model cost when it was last accepted, and what has drifted since.

One JSON file beside the model, to be kept with it under version control: an entry for each
model, board, runtime and optimization, with its sizes and what they depend on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgekit import output
from edgekit.errors import Regression, UsageError

LOCK = "edgekit.lock"
_SCHEMA = {"schema": "edgekit.lock", "schema_version": 1}
# What a lock holds, and in which unit it is told.
_FIELDS = {"model": "", "kernels": "", "toolchain": "", "arena": " bytes", "stack": " bytes",
           "flash": " bytes"}


def lock_path(source) -> Path:
    """Where the lock of a model file or project folder is."""
    path = Path(source)
    return (path if path.is_dir() else path.parent) / LOCK


def update(path: Path, result: Mapping) -> None:
    """Write what a profile (or profiles) document says into the lock; other entries stay."""
    entries = (_read(path) if path.exists() else {}) | dict(_entries(result))
    text = json.dumps(_SCHEMA | {"entries": dict(sorted(entries.items()))}, indent=1)
    output.write_file(path, (text + "\n").encode())


def check(path: Path, result: Mapping) -> None:
    """Regression (exit 5) with one sentence for each thing that is not as it was locked."""
    if not path.exists():
        raise Regression(f"there is no {path}", "--update-lock writes it")
    locked = _read(path)
    drifts = [drift for key, entry in _entries(result) for drift in _drifts(key, entry, locked)]
    if drifts:
        raise Regression("; ".join(drifts), "--update-lock accepts it", reasons=tuple(drifts))


def _entries(result: Mapping) -> Iterator[tuple[str, dict]]:
    """(key, entry) of each profile in a document."""
    for d in result.get("profiles", [result]):
        yield " ".join((d["model"]["name"], d["board"], d["runtime"], d["optimize"])), {
            "model": d["model"]["sha256"], "kernels": d["kernels_sha256"],
            "toolchain": d["toolchain"], "arena": d["ram"]["arena"],
            "stack": d["ram"]["peak_stack"], "flash": d["flash"]["total"]}


def _drifts(key: str, entry: Mapping, locked: Mapping) -> Iterator[str]:
    if key not in locked:
        yield f"{key} is not locked"
        return
    for field, unit in _FIELDS.items():
        now, then = entry[field], locked[key].get(field)
        if now != then:
            yield f"{key}: {field} is {_said(now, unit)}, locked was {_said(then, unit)}"


def _said(value, unit: str) -> str:
    if value is None:
        return "not known"
    if isinstance(value, int):
        return f"{value:,}{unit}"
    return value[:16] if len(value) == 64 else value  # a sha256 tells enough in 16 digits


def _read(path: Path) -> dict[str, dict]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is damaged: {error}", "take it from version control") from error
    if not isinstance(found, dict) or not _SCHEMA.items() <= found.items() or not isinstance(
            found.get("entries"), dict) or not all(
            isinstance(entry, dict) for entry in found["entries"].values()):
        raise UsageError(f"{path} is no lock of this edgekit", "--update-lock writes a new one "
                         "when it is removed")
    return found["entries"]
