"""The operators edgekit knows: one module each, found by file name."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType

from edgekit.ops.schema import OPERATOR_NAMES


@cache
def kinds() -> tuple[str, ...]:
    """TFLite's names of all operators that have a module here."""
    files = Path(__file__).parent.glob("*.py")
    return tuple(sorted(path.stem.upper() for path in files
                        if path.stem.upper() in OPERATOR_NAMES))


@cache
def get(kind: str) -> ModuleType | None:
    """The module of an operator, None for one that edgekit does not know."""
    if kind not in kinds():
        return None
    return importlib.import_module(f"edgekit.ops.{kind.lower()}")
