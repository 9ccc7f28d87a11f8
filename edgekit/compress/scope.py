"""Which layers of a model a scope means.

A scope is a list of patterns: a name glob (`conv*`), a type (`type:Conv2D`, globs too), an
index (`index:3`, `index:-1`), each excluded by a leading `!`. Only exclusions: all but those.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence

from edgekit.errors import UsageError

Layer = tuple[str, str]  # name, type


def select(layers: Sequence[Layer], scope: str | Sequence[str | int] | None) -> tuple[str, ...]:
    """Names of the layers that `scope` means, in the model's order; None means all.

    Raises UsageError, with near names, for a pattern that no layer matches and for a scope
    that leaves no layer: a silent no-match would look like a compression that did nothing.
    """
    patterns = _patterns(scope)
    included = [pattern for pattern in patterns if not pattern.startswith("!")]
    excluded = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    chosen = set().union(*(_matches(layers, pattern) for pattern in included or ["*"]))
    chosen -= set().union(*(_matches(layers, pattern) for pattern in excluded))
    if not chosen:
        raise UsageError(f"scope {', '.join(patterns)} leaves no layer", _known(layers))
    return tuple(name for name, _ in layers if name in chosen)


def _patterns(scope) -> list[str]:
    if scope is None:
        return ["*"]
    items = scope.split(",") if isinstance(scope, str) else scope
    patterns = [f"index:{item}" if isinstance(item, int) else item.strip() for item in items]
    patterns = [pattern for pattern in patterns if pattern]
    if not patterns:
        raise UsageError("the scope is empty", "name at least one layer, or leave the scope out")
    return patterns


def _matches(layers: Sequence[Layer], pattern: str) -> set[str]:
    if pattern.startswith("index:"):
        return {_at(layers, pattern)}
    if pattern.startswith("type:"):
        glob = pattern.removeprefix("type:")
        found = {name for name, kind in layers if fnmatch.fnmatchcase(kind, glob)}
        near = _near(glob, {kind for _, kind in layers}, "type:")
    else:
        found = {name for name, _ in layers if fnmatch.fnmatchcase(name, pattern)}
        near = _near(pattern, [name for name, _ in layers])
    if not found:
        raise UsageError(f"no layer matches '{pattern}'", near or _known(layers))
    return found


def _at(layers: Sequence[Layer], pattern: str) -> str:
    text = pattern.removeprefix("index:")
    try:
        return layers[int(text)][0]
    except ValueError:
        raise UsageError(f"'{pattern}' is not an index", "write index:3 or index:-1") from None
    except IndexError:
        raise UsageError(f"there is no layer {text}; the model has {len(layers)}",
                         f"the last one is index:{len(layers) - 1}") from None


def _near(pattern: str, names, prefix: str = "") -> str:
    ordered = sorted(names)
    close = difflib.get_close_matches(pattern.strip("*?").lower(),
                                      [name.lower() for name in ordered], n=3, cutoff=0.5)
    hits = [prefix + name for name in ordered if name.lower() in close]
    return "did you mean " + " or ".join(f"'{hit}'" for hit in hits) + "?" if hits else ""


def _known(layers: Sequence[Layer]) -> str:
    names = [name for name, _ in layers]
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return "the layers are " + ", ".join(names[:12]) + more
