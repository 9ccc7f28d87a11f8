"""`edgekit.profile` as a report shows it: headline, memory map, parts, arena, operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit.report.arena import draw
from edgekit.report.figures import (Bar, Figure, figure, interval, number, once, percent, reason,
                                    stack, width)

FLASH_PARTS = ("code", "weights", "tables")
RAM_PARTS = ("arena", "static", "peak_stack")
TIMES = ("instructions", "cycles", "latency_s", "energy_j")


def view(d: Mapping) -> dict:
    """What templates/report/profile.html.j2 shows."""
    issues, plan = d["issues"], d.get("arena_plan")
    return {
        "head": _head(d), "tiles": once(tiles(d)), "regions": _regions(d),
        "regions_reason": reason("regions", issues),
        "flash": stack(d["flash"], FLASH_PARTS, issues),
        "flash_total": figure(d["flash"], "total", issues, about="flash"),
        "ram": stack(d["ram"], RAM_PARTS, issues),
        "ram_total": figure(d["ram"], "total", issues, about="ram"),
        "inside": [figure(d["ram"], key, issues, label=label) for key, label in (
            ("activations", "activations"), ("activations_bound", "no plan is below"),
            ("scratch", "largest scratch"))],
        "time": once(figure(d["time"], key, issues, unit="") for key in TIMES),
        "arena": draw(plan, d["ram"]["arena"], d["ops"]) if plan else None,
        "arena_reason": reason("arena", issues), "ops": _ops(d["ops"]),
        "counted": any(op["instructions"] is not None for op in d["ops"]),
        "ops_method": d["time"]["methods"].get("instructions"),
        "timed": any(op["cycles"] is not None for op in d["ops"]),
        "cycles_method": d["time"]["methods"].get("cycles"),
        "ops_reason": reason("instructions", issues) if d["time"]["instructions"] is None else
        "TensorFlow Lite Micro's operators are not counted one by one", "issues": issues}


def title(d: Mapping) -> str:
    return f"{d['model']['name']} on {d['board']}, {d['runtime']}"


def tiles(d: Mapping) -> list[Figure]:
    """The numbers to look at first."""
    issues, used, model = d["issues"], d["firmware"], d["model"]
    instructions, macs = d["time"]["instructions"], model["macs_live"]
    each = f"{instructions / macs:.2f} per MAC" if instructions is not None and macs else ""
    return [
        figure(d["flash"], "total", issues, label="Flash", about="flash",
               note=_share(used["flash_used"], used["flash_size"])),
        figure(d["ram"], "total", issues, label="RAM", about="ram",
               note=_share(used["ram_used"], used["ram_size"])),
        figure(d["time"], "instructions", issues, label="Instructions", unit="", note=each),
        figure(d["time"], "latency_s", issues, label="Latency"),
        Figure("MACs", number(macs), "", "exact", "",
               f"{number(model['parameters'])} parameters")]


def glance(profiles: Sequence[tuple[str, Mapping]]) -> list[dict]:
    """One row per (anchor, profile), bars against the largest of them."""
    columns = (("flash", "total", "flash"), ("ram", "arena", "arena"), ("ram", "total", "ram"),
               ("time", "instructions", "instructions"))
    rows = []
    for anchor, d in profiles:
        bars = []
        for section, key, about in columns:
            most = max((p[section][key] or 0 for _, p in profiles), default=0)
            bars.append(Bar(figure(d[section], key, d["issues"], unit="", about=about),
                            width(d[section][key] or 0, most), ""))
        rows.append({"anchor": anchor, "model": d["model"]["name"], "board": d["board"],
                     "runtime": d["runtime"], "bars": bars})
    return rows


def _head(d: Mapping) -> list[tuple[str, str]]:
    engine = d["engine"] or "not run"
    return [("board", d["board"]), ("runtime", d["runtime"]), ("project form", d["form"]),
            ("optimized for", d["optimize"]), ("compiler", d["toolchain"] or "not built"),
            ("engine", engine), ("model sha256", d["model"]["sha256"][:16])]


def _share(used: int | None, size: int | None) -> str:
    """How full the board's memory is with the whole firmware in it."""
    if not size:
        return ""
    if used is None:
        return f"the board has {number(size)} bytes"
    return f"whole firmware: {percent(used, size)} of the board's {number(size)}"


def _regions(d: Mapping) -> list[dict]:
    return [{"name": r["name"], "used": number(r["used"]), "size": number(r["size"]),
             "free": number(r["size"] - r["used"]), "share": percent(r["used"], r["size"]),
             "width": width(r["used"], r["size"]), "over": r["used"] > r["size"]}
            for r in d["firmware"]["regions"]]


def _ops(ops: Sequence[Mapping]) -> list[dict]:
    counts = [op["instructions"] or 0 for op in ops]
    most, total = max(counts, default=0), sum(counts)
    most_macs = max((op["macs"] or 0 for op in ops), default=0)
    return [_op(op, most, total, most_macs) for op in ops]


def _op(op: Mapping, most: int, total: int, most_macs: int) -> dict:
    instructions, macs = op["instructions"], op["macs"]
    known = instructions is not None
    return {"index": op["index"], "kind": op["kind"], "output": op["output"],
            "kernel": op["kernel"], "folded": op["kernel"] == "folded",
            "macs": None if macs is None else number(macs), "macs_width": width(macs or 0, most_macs),
            "instructions": number(instructions) if known else None,
            "cycles": None if op["cycles"] is None else interval(op["cycles"]),
            "width": width(instructions or 0, most), "share": percent(instructions or 0, total),
            "per_mac": f"{instructions / macs:.2f}" if known and macs else "-"}
