"""The JSON documents other programs read: one common head, issues, methods."""

from __future__ import annotations

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

