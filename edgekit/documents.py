"""The JSON documents other programs read: one common head, issues, methods."""

from __future__ import annotations

from edgekit import ops
from edgekit.graph import Graph
from edgekit.version import __version__


def document(schema: str, *, issues: list[dict] | None = None, **sections) -> dict:
    """A document `edgekit.<schema>`; a key is never missing: unknown is None with an issue."""
    return {"schema": f"edgekit.{schema}", "schema_version": 1, "tool_version": __version__,
            "issues": list(issues or ()), **sections}


def issue(code: str, message: str, hint: str = "", severity: str = "warning") -> dict:
    return {"code": code, "severity": severity, "message": message, "hint": hint}


def error_document(error) -> dict:
    """What --json prints when a command fails."""
    return document("error", issues=[issue(error.code, reason, severity="error")
                                     for reason in error.reasons],
                    code=error.code, exit=error.exit, message=error.message, hint=error.hint)


def macs_of(graph: Graph) -> list[int | None]:
    """Multiply-accumulates of each operator; None for one edgekit does not know."""
    counts = []
    for op in graph.ops:
        module = ops.get(op.kind)
        counts.append(module.macs(graph, op) if module else None)
    return counts


def model_section(graph: Graph, name: str, sha256: str) -> dict:
    """`model` of every document about one: MACs are the file's, live ones those executed."""
    known = [count or 0 for count in macs_of(graph)]
    parameters = sum(t.size for t in graph.tensors if t.is_constant)
    return {"name": name, "sha256": sha256, "macs": sum(known), "macs_live": sum(known),
            "parameters": parameters}
