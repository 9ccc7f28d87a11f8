"""A profile with what a real board measured in the place of what was emulated or estimated."""

from __future__ import annotations

from edgekit import samples
from edgekit.documents import issue
from edgekit.link import Link
from edgekit.measurement import Measured, measured, methods, op_range
from edgekit.model import Model
from edgekit.profiling_firmware import MEASURED_SAMPLES

_ESTIMATES = {"cycle_model", "no_cycle_model", "no_cycles"}


def measure(model: Model, link: Link) -> Measured:
    """The samples of every profile on the device, each operator timed."""
    runs = []
    for sample in samples.random_samples(model.graph, MEASURED_SAMPLES):
        link.load(tuple(value.tobytes() for value in sample))
        runs.append(link.infer(count=True))
    return measured(runs)


def with_device(profile: dict, found: Measured, target: str) -> dict:
    """The profile with the device's cycles, seconds and stack, their methods `measured`."""
    issues = [entry for entry in profile["issues"] if entry["code"] not in _ESTIMATES]
    return {**profile, "target": target, "time": _time(profile["time"], found, issues),
            "ram": _ram(profile["ram"], found), "issues": issues,
            "ops": [{**op, "cycles": op_range(found.op_cycles, i, op["kernel"])}
                    for i, op in enumerate(profile["ops"])]}


def _time(estimated: dict, found: Measured, issues: list[dict]) -> dict:
    """Nothing measured stands beside nothing estimated: what the device has no clock for is null."""
    if found.latency_s is None:
        issues.append(issue("no_clock", "the firmware's counter stands still: cycles and latency are "
                            "not known"))
    values = {"cycles": found.cycles, "latency_s": found.latency_s}
    kept = {name: how for name, how in estimated["methods"].items() if name not in values}
    return {**estimated, **{name: list(value) if value else None for name, value in values.items()},
            "methods": kept | methods(values)}


def _ram(ram: dict, found: Measured) -> dict:
    if found.peak_stack is None:
        return ram
    known = None not in (ram["arena"], ram["static"])
    total = ram["arena"] + ram["static"] + found.peak_stack if known else None
    changed = {"peak_stack": found.peak_stack, "total": total}
    return {**ram, **changed, "methods": ram["methods"] | methods(changed)}
