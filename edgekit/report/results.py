"""Verdicts, comparisons and the demo as a report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit.report.figures import Figure, label_of, number, percent, width


def validate_title(d: Mapping) -> str:
    return f"{d['model']['name']} on {d['board']}, {d['runtime']}, {d['target']}, against {d['golden']}"


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
    return "From a model to firmware"


def demo_view(d: Mapping) -> dict:
    """What templates/report/demo.html.j2 shows; profiles and verdicts follow as their own parts."""
    steps, accuracy = d["steps"], d["accuracy"]
    longest = max((step["seconds"] for step in steps), default=0)
    return {"tiles": _demo_tiles(d),
            "accuracy": [(label_of(key), "not known" if value is None else percent(value, 1),
                          "" if value is None else width(value, 1)) for key, value in accuracy.items()
                         if value is None or isinstance(value, float)],
            "samples": number(accuracy["samples"]) if accuracy.get("samples") else None,
            "notes": [(row["board"], row["note"]) for row in d.get("table", ()) if row["note"]],
            "steps": [{"name": step["name"], "seconds": f"{step['seconds']:.1f} s",
                       "width": width(step["seconds"], longest)} for step in steps],
            "total": f"{sum(step['seconds'] for step in steps):.1f} s", "issues": d["issues"]}


def _demo_tiles(d: Mapping) -> list[Figure]:
    verdicts, accuracy, weights = d["validations"], d["accuracy"], d.get("weights")
    total = number(sum(v["elements"] for v in verdicts))
    tiles = [Figure("Elements that differ", number(sum(v["mismatches"] for v in verdicts)),
                    note=f"of {total} compared with {', '.join(_names(verdicts, 'golden'))}")]
    if accuracy.get("int8") is not None:
        tiles.append(Figure("Accuracy as int8", percent(accuracy["int8"], 1), note="" if
                            accuracy.get("pruned") is None else
                            f"{percent(accuracy['pruned'], 1)} pruned, before quantization"))
    if weights:
        tiles.append(Figure("Int8 weights", number(weights["pruned_int8"]), "bytes",
                            note=f"{number(weights['unpruned_int8'])} before pruning"))
    boards = _names(d["profiles"], "board")
    return [*tiles, Figure("Boards", number(len(boards)), note=", ".join(boards))]


def _names(documents: Sequence[Mapping], key: str) -> list[str]:
    """Different values of a key, in the documents' order."""
    inner = [p for d in documents for p in d.get("profiles", (d,))]
    return list(dict.fromkeys(d[key] for d in inner))


def _or_absent(value: float | None) -> str:
    return "absent" if value is None else number(value)
