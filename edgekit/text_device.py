"""Documents about boards on a desk as text: flash, ports, monitor, what was measured, fleets."""

from __future__ import annotations

from edgekit.text_table import between, milliseconds, table


def fleet(d: dict) -> str:
    rows = []
    for row in d["boards"]:
        verdict, device = row["verdict"] or {}, (row["verdict"] or {}).get("device") or {}
        said = "equal" if row["ok"] else (f"{verdict['mismatches']:,} MISMATCHES" if verdict else
                                          row["error"]["code"])
        rows.append((row["name"], row["board"], row["flashed"] or "-", said,
                     verdict.get("elements"), between(device.get("cycles")),
                     milliseconds(device.get("latency_s")), device.get("peak_stack")))
    return table(rows, ("name", "board", "flashed", "result", "elements", "cycles", "ms", "stack"))


def measured(device: dict) -> str:
    """What the device measured of itself: a line, and a table of operators where it timed them."""
    parts = []
    if device["cycles"]:
        parts.append(f"{between(device['cycles'])} cycles")
    if device["latency_s"]:
        parts.append(f"{milliseconds(device['latency_s'])} ms")
    text = f"an inference took {' or '.join(parts)}" if parts else "an inference"
    if device["peak_stack"]:
        text += f"{' and' if parts else ' took'} {device['peak_stack']:,} bytes of stack"
    text += ", measured by the device"
    rows = [(op["index"], op["kind"], op["kernel"] or "?", between(op["cycles"]),
             milliseconds(op["latency_s"])) for op in device["ops"]]
    return f"{text}\n{table(rows, ('op', 'kind', 'kernel', 'cycles', 'ms'))}" if rows else text


def flash(d: dict) -> str:
    return (f"{d['board']}: {d['bytes']:,} bytes of {d['image']} written by {d['by']}, verified "
            f"({d['verified']})" + (", and it answers" if d["hello"] else ""))


def ports(d: dict) -> str:
    rows = [(p["port"], p["usb"] or "-", p["description"] or "-", ", ".join(p["boards"]) or "-")
            for p in d["ports"]]
    return table(rows, ("port", "USB", "description", "boards")) if rows else (
        "no serial port is there")


def monitor(d: dict) -> str:
    return f"{len(d['lines'])} lines from {d['port']}"
