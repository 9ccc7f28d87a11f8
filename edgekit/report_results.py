"""Verdicts, comparisons and the demo as a report shows them."""

from __future__ import annotations

from collections.abc import Mapping

from edgekit.report_figures import label_of, number, percent, width


def validate_title(d: Mapping) -> str:
    return f"{d['model']['name']} on {d['board']}, {d['runtime']}, against {d['golden']}"


def validate_view(d: Mapping) -> dict:
    """What templates/report/validate.html.j2 shows."""
    rows = [("target", d["target"]), ("board", d["board"]), ("runtime", d["runtime"]),
            ("golden", d["golden"]), ("samples", number(d["samples"])),
            ("elements compared", number(d["elements"])), ("mismatches", number(d["mismatches"])),
            ("largest difference", number(d["worst"])),
            ("accuracy", "not asked for (no labels were given)" if d["accuracy"] is None else
             f"{percent(d['accuracy'], 1)} of {number(d['samples'])} samples"),
            ("model sha256", d["model"]["sha256"][:16])]
    if not isinstance(d["ok"], bool) or d["ok"] != (d["mismatches"] == 0):
        raise ValueError(f"'ok' is {d['ok']!r} with {d['mismatches']} mismatches")
    first = d["first"]
    return {"ok": d["ok"], "mismatches": number(d["mismatches"]),
            "elements": number(d["elements"]), "samples": number(d["samples"]), "rows": rows,
            "first": None if first is None else {key: first[key] for key in (
                "sample", "op", "kind", "tensor", "element", "expected", "got")},
            "issues": d["issues"]}


def compare_title(d: Mapping) -> str:
    return "Comparison"


def compare_view(d: Mapping) -> dict:
    """What templates/report/compare.html.j2 shows."""
    limits = {row["path"]: row["limit_percent"] for row in d["regressions"]}
    rows = [{"path": row["path"], "before": _or_absent(row["before"]),
             "after": _or_absent(row["after"]), "regressed": row["path"] in limits,
             "change": "-" if row["change"] is None else f"{100 * row['change']:+.2f} %",
             "limit": f"limit {limits[row['path']]:g} %" if row["path"] in limits else ""}
            for row in d["differences"]]
    return {"rows": rows, "ok": d["ok"], "regressions": len(limits), "issues": d["issues"]}


def demo_title(d: Mapping) -> str:
    return "Demo"


def demo_view(d: Mapping) -> dict:
    """What templates/report/demo.html.j2 shows; profiles and verdicts follow as their own parts."""
    steps = d["steps"]
    longest = max((step["seconds"] for step in steps), default=0)
    return {"accuracy": [(label_of(key), percent(value, 1) if isinstance(value, float) else
                          _plain(value), width(value, 1) if isinstance(value, float) else "0%")
                         for key, value in (d["accuracy"] or {}).items()],
            "summary": [(label_of(key), _plain(value))
                        for key, value in (d.get("summary") or {}).items()],
            "steps": [{"name": step["name"], "seconds": f"{step['seconds']:.1f} s",
                       "width": width(step["seconds"], longest)} for step in steps],
            "total": f"{sum(step['seconds'] for step in steps):.1f} s", "issues": d["issues"]}


def _or_absent(value: float | None) -> str:
    return "absent" if value is None else number(value)


def _plain(value: object) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, (int, float)) else str(value)
