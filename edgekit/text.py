"""Documents as text for a terminal: plain tables, numbers with their thousands."""

from __future__ import annotations

from collections.abc import Callable

from edgekit import arena_text, text_device
from edgekit.text_compression import fit, prune, quantize, slim
from edgekit.text_table import PROFILE_HEADER, between, cell, profile_row, table


def render(result: dict) -> str:
    """A document as a person reads it."""
    return _RENDER[result["schema"].removeprefix("edgekit.")](result)


def _inspect(d: dict) -> str:
    model = d["model"]
    rows = [(op["index"], op["kind"], _shape(op["inputs"][0]), _shape(op["outputs"][0]),
             op["macs"]) for op in d["ops"]]
    lines = [f"{model['name']}: {model['macs']:,} MACs, {model['parameters']:,} parameters, sha256 "
             f"{model['sha256'][:16]}", table(rows, ("op", "kind", "input", "output", "MACs")), ""]
    for side in ("inputs", "outputs"):
        lines += [f"{side[:-1]} {t['name']}: {t['dtype']} {t['shape']}" + (
            f", scale {t['scale'][0]:.6g}, zero point {t['zero_point'][0]}" if t["scale"] else "")
            for t in d[side]]
    for runtime, answer in d["runtimes"].items():
        lines.append(f"{runtime}: " + ("takes it" if answer["ok"] else answer["reasons"][0] + (
            f" (and {len(answer['reasons']) - 1} more)" if len(answer["reasons"]) > 1 else "")))
    if d["boards"] is not None:
        lines += [f"arena with aot: {d['arena']:,} bytes",
                  f"boards it fits by its data: {', '.join(d['boards'])}"]
    return "\n".join(lines)


def _shape(tensor: dict | None) -> str:
    return "x".join(map(str, tensor["shape"])) or "scalar" if tensor else "-"


def _check(d: dict) -> str:
    lines = _fixed(d["fixed"]) if d["fixed"] else []
    if d["ok"]:
        lines.append(f"{d['model']['name']} on {d['board']} with {d['runtime']}: no problem found")
    return "\n".join(lines + [f"{p['kind']}: {p['cause']}\n  fix: {p['fix']}"
                              for p in d["problems"]])


def _fixed(fixed: dict) -> list[str]:
    """What check --fix did, and how it is known to be right."""
    saved = f"saved {fixed['output']}"
    if not fixed["changes"]:
        return ["nothing to fix: it is the same file", saved]
    proof = "nothing could run the model before: compare it yourself"
    if fixed["golden"]:
        proof = f"outputs of {fixed['samples']} samples equal those before, by {fixed['golden']}"
    return [*fixed["changes"], proof, saved]


def _generate(d: dict) -> str:
    text = f"{d['project']}: {len(d['files'])} files, sha256 {d['sha256'][:16]}; read its README.md"
    text += "".join(f"\n{line}" for line in arena_text.placement(d["placement"]))
    saving = d.get("aot_saves")
    if saving:
        text += (f"\nwith --runtime aot the arena is {saving['aot_arena']:,} bytes instead of "
                 f"{saving['tflm_arena']:,} (tflm's is estimated), and there is no interpreter")
    return text


def _build(d: dict) -> str:
    return (f"{d['elf']}: text {d['text']:,}, data {d['data']:,}, bss {d['bss']:,} bytes, by "
            f"{d['toolchain']}")


def _emulate(d: dict) -> str:
    return f"{d['output']}: {d['samples']} samples by {d['engine']} ({d['runtime']}, {d['board']})"


def _validate(d: dict) -> str:
    verdict = "equal" if d["ok"] else f"{d['mismatches']:,} MISMATCHES"
    text = (f"{d['model']['name']} on {d['board']} ({d['runtime']}, {d['target']}) against "
            f"{d['golden']}: {verdict}; {d['samples']} samples, {d['elements']:,} elements")
    if d["accuracy"] is not None:
        text += f", accuracy {d['accuracy']:.2%}"
    return f"{text}\n{text_device.measured(d['device'])}" if d["device"] else text


def _profiles(d: dict) -> str:
    found = d["profiles"]
    head = f"{found[0]['model']['name']} on {found[0]['board']}; bytes; ? is not known"
    parts = [head, table([profile_row(p) for p in found], PROFILE_HEADER)]
    parts += [_details(p) for p in found if p["time"]["instructions"] is not None]
    for p in found:
        parts += [f"{p['runtime']}: {entry['message']}" for entry in p["issues"]]
    return "\n\n".join(parts[:2]) + "\n\n" + "\n".join(parts[2:])


def _profile(d: dict) -> str:
    head = f"{d['model']['name']} on {d['board']}; bytes; ? is not known"
    parts = [head, table([profile_row(d)], PROFILE_HEADER)]
    if d["time"]["instructions"] is not None:
        parts.append(_details(d))
    return "\n\n".join(parts)


def _details(d: dict) -> str:
    rows = [(op["index"], op["kind"], op["kernel"], op["macs"], op["instructions"],
             round(op["instructions"] / op["macs"], 2) if op["macs"] and op["instructions"] else None,
             between(op["cycles"])) for op in d["ops"]]
    regions = [(r["name"], r["used"], r["size"], f"{r['used'] / r['size']:.2%}")
               for r in d["firmware"]["regions"]]
    methods = sorted({m for s in ("flash", "ram", "time") for m in d[s]["methods"].values()})
    parts = [table(rows, ("op", "kind", "kernel", "MACs", "instructions", "per MAC", "cycles")),
             f"in all: {between(d['time']['cycles']) or '?'} cycles", "",
             table(regions, ("memory region", "used", "size", "% used")), "",
             *arena_text.placement(d["placement"]), "",
             f"by {d['toolchain']}, engine {d['engine']}; numbers are {' or '.join(methods)}"]
    return "\n".join(parts + _arena(d))


def _arena(d: dict) -> list[str]:
    """The plan of an arena, which only the aot runtime has."""
    plan, ram = d.get("arena_plan"), d["ram"]
    if not plan:
        return []
    return ["", arena_text.verdict(ram["arena"], ram["activations_bound"]), "",
            table(arena_text.rows(plan), ("", "offset", "bytes", "operators", "tensor")), "",
            *arena_text.over_time(plan, ram["arena"])]


def _boards(d: dict) -> str:
    def total(board: dict, kind: str) -> str:
        size = sum(m["size"] for m in board["memories"] if m["kind"] == kind)
        return f"{size // 1024:,} K" if size else "-"

    rows = [(b["name"], b["core"], f"{b['clock_hz'] / 1e6:g} MHz" if b["clock_hz"] else "-",
             total(b, "flash"), total(b, "ram"), ", ".join(b["forms"]), ", ".join(b["emulators"]))
            for b in d["boards"]]
    return table(rows, ("board", "core", "clock", "flash", "RAM", "forms", "emulators"))


def _doctor(d: dict) -> str:
    rows = [(t["name"], t["for"], t["found"] or f"not here: {t['install']}") for t in d["tools"]]
    return f"Python {d['python']} on {d['platform']} {d['machine']}\n\n" + table(
        rows, ("tool", "for", "found"))


def _compare(d: dict) -> str:
    rows = [(r["path"], r["before"], r["after"],
             "" if r["change"] is None else f"{r['change']:+.2%}") for r in d["differences"]]
    return table(rows, ("number", "before", "after", "change")) if rows else "no number differs"


def _report(d: dict) -> str:
    return f"{d['path']}: {d['results']} results"


def _run(d: dict) -> str:
    return "\n\n".join(f"{step['schema'].removeprefix('edgekit.')}\n{render(step)}"
                       for step in d["steps"])


def _demo(d: dict) -> str:
    head = ("board", "core", *PROFILE_HEADER[1:], "mismatches")
    rows = [(p["board"], p["core"], *profile_row(p)[1:], p["mismatches"]) for p in d["table"]]
    lines = [table(rows, head)] + [f"  {p['board']}: {p['note']}" for p in d["table"] if p["note"]]
    lines += ["", *(f"{key.replace('_', ' ')}: {cell(value)}"
                    for key, value in d["summary"].items()),
              f"{d['seconds']:.0f} s in all; the report: {d['report']}"]
    return "\n".join(lines)


_RENDER: dict[str, Callable[[dict], str]] = {
    "inspect": _inspect, "check": _check, "generate": _generate, "build": _build,
    "emulate": _emulate, "validate": _validate, "profile": _profile, "profiles": _profiles,
    "boards": _boards, "doctor": _doctor, "compare": _compare, "report": _report,
    "prune": prune, "quantize": quantize, "slim": slim, "fit": fit, "demo": _demo,
    "fleet": text_device.fleet, "flash": text_device.flash,
    "ports": text_device.ports, "monitor": text_device.monitor, "run": _run,
}
