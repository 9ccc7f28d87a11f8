"""TOML files that people write: read, or refused with what is wrong; keys are strict."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path

from edgekit.errors import EdgekitError


def read_toml(path: Path, shown: str, kind: type[EdgekitError], hint: str = "") -> dict:
    """The file's tables; an error of `kind` calls the file `shown`, and gives `hint` where it
    cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise kind(f"{shown}: not valid TOML: {error}") from error
    except OSError as error:
        raise kind(f"{shown} cannot be read: {error.strerror}", hint) from error


def require_known(given: Iterable[str], known: Collection[str], where: str,
                  kind: type[EdgekitError], what: str = "key") -> None:
    """An error of `kind` for the first name that is not known, with the nearest one that is."""
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise kind(f"{where}: unknown {what} '{key}'",
                       f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}")
