"""Results as one HTML file that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from edgekit import output, resources
from edgekit.documents import document
from edgekit.errors import UsageError
from edgekit.report import profile, results as others


@dataclass(frozen=True, slots=True)
class _Kind:
    """How documents of one schema are shown."""

    name: str
    title: Callable[[Mapping], str]
    view: Callable[[Mapping], dict]


_KINDS = {
    "edgekit.demo": _Kind("demo", others.demo_title, others.demo_view),
    "edgekit.profile": _Kind("profile", profile.title, profile.view),
    "edgekit.validate": _Kind("validate", others.validate_title, others.validate_view),
    "edgekit.compare": _Kind("compare", others.compare_title, others.compare_view)}
_HOLD_OTHERS = {"edgekit.profiles": ("profiles",), "edgekit.demo": ("profiles", "validations")}
SCHEMAS = tuple(sorted({*_KINDS, *_HOLD_OTHERS}))


def write_html(results: list[dict], path) -> dict:
    """Write the report of some documents, whole or not at all; returns `edgekit.report`.

    UsageError where a document is of a schema that has no report, or is damaged.
    """
    page = render_html(results)
    # Half a surrogate pair, which JSON can spell and UTF-8 cannot, becomes a question mark.
    output.write_file(Path(path), page.encode("utf-8", "replace"))
    return document("report", path=str(path), results=len(results))


def render_html(results: list[dict]) -> str:
    """The page, the same for the same documents."""
    _require_known(results)
    parts: list[dict] = []
    for number, result in enumerate(results, 1):
        try:
            parts += [_part(f"r{len(parts) + i}", d) for i, d in enumerate(_flat(result), 1)]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError,
                OverflowError) as error:
            # Files edited by hand or cut short: what is missing is told, not traced back.
            raise UsageError(f"result {number} ({result['schema']}) is damaged: "
                             f"{type(error).__name__}: {error}",
                             "give files as --json wrote them") from error
    if not parts:
        raise UsageError("there is no result to report", "give files that --json wrote")
    profiles = [(part["anchor"], part["document"]) for part in parts if part["kind"] == "profile"]
    return _environment().get_template("report/page.html.j2").render(
        title=parts[0]["title"] if len(parts) == 1 else "edgekit report", parts=parts,
        glance=profile.glance(profiles) if len(profiles) > 1 else [],
        lead=parts[0] if parts[0]["kind"] == "demo" else None,
        versions=", ".join(sorted({str(result.get("tool_version")) for result in results})))


def _require_known(results: list[dict]) -> None:
    unknown = sorted({str(r.get("schema") if isinstance(r, dict) else r)[:60] for r in results
                      if not isinstance(r, dict) or r.get("schema") not in SCHEMAS})
    if unknown:
        raise UsageError(f"there is no report of {', '.join(unknown)}",
                         f"a report shows {', '.join(SCHEMAS)}")
    newer = sorted({str(r["schema_version"]) for r in results if r.get("schema_version", 1) != 1})
    if newer:
        raise UsageError(f"a result has schema_version {', '.join(newer)}, this edgekit reads 1",
                         "use the edgekit that wrote it")


def _flat(result: Mapping) -> Iterator[Mapping]:
    """A document, then those inside it."""
    if result["schema"] in _KINDS:
        yield result
    for key in _HOLD_OTHERS.get(result["schema"], ()):
        for inner in result[key]:
            _require_known([inner])
            yield from _flat(inner)


def _part(anchor: str, d: Mapping) -> dict:
    kind = _KINDS[d["schema"]]
    return {"anchor": anchor, "kind": kind.name, "title": kind.title(d), "view": kind.view(d),
            "document": d, "template": f"report/{kind.name}.html.j2"}


@cache
def _environment() -> jinja2.Environment:
    """Its own environment: names in models are strangers' text, so everything is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("templates")),
        undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True)
