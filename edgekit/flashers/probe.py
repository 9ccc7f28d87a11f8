"""Flash a Cortex-M through a debug probe with pyocd (Apache-2.0), read back byte for byte."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edgekit import log, tools
from edgekit.errors import BadBoard, EdgekitError, NotThere
from edgekit.flashers.job import Job, incomplete

SECONDS = 300.0

# What pyocd says -> (what it means, what to do).
_FAILURES = (
    ("No available debug probes", NotThere, "no debug probe is there",
     "plug the board's debug port in; on Linux pyocd's udev rules must be installed"),
    ("No target device available", NotThere, "no debug probe is there",
     "plug the board's debug port in; on Linux pyocd's udev rules must be installed"),
    ("not recognized", EdgekitError, "pyocd does not know this chip",
     "pyocd pack install {target}"),
    ("is locked", EdgekitError, "the chip is protected. Nothing was erased",
     "unlocking erases the chip: pyocd erase --mass, if you mean it"),
    ("No cores were discovered", EdgekitError, "the probe finds no core: another chip, no power, or "
     "protected. Nothing was erased", "check the cable and the supply"),
)


def flash(job: Job) -> str:
    """Program, then read the flash back and compare it with the image."""
    pyocd = tools.require("pyocd", "pip install 'edgekit[flash]'")
    target = job.board.name_in("pyocd")
    if target is None:
        raise BadBoard(f"{job.board.title} has no name for pyocd", "add pyocd to its [names]")
    # -W: do not wait for a probe for ever. auto_unlock would erase a protected chip unasked.
    options = ["-W", "-O", "auto_unlock=false", "-t", target]
    if job.port:
        options += ["-u", job.port]
    with tempfile.TemporaryDirectory(prefix="edgekit-flash-") as folder:
        image, back = Path(folder, "image.bin"), Path(folder, "back.bin")
        image.write_bytes(job.data)
        log.step(f"pyocd writes {len(job.data):,} bytes")
        _run([pyocd, "load", *options, "--format", "bin", "-a", hex(job.start), str(image)], target)
        with incomplete():
            log.step("reading back")
            _run([pyocd, "commander", *options, "-c",
                  f"savemem {job.start:#x} {len(job.data)} {back}"], target)
            _compare(job, back)
    return "read back"


def _run(command: list[str], target: str) -> None:
    done = tools.run(command, timeout_s=SECONDS)
    output = (done.stdout + done.stderr).decode(errors="replace")
    for sign, kind, meaning, hint in _FAILURES:
        if sign in output and (done.returncode or kind is NotThere):
            raise kind(meaning, hint.format(target=target))
    if done.returncode:
        lines = [line for line in output.splitlines() if line.strip()] or ["it said nothing"]
        raise EdgekitError(f"pyocd {command[1]} failed: {lines[-1].strip()[:300]}",
                           "reset the board and run it again; the whole output: "
                           f"{' '.join(command[:-1])} FILE")


def _compare(job: Job, back: Path) -> None:
    there = back.read_bytes() if back.is_file() else b""
    if there == job.data:
        return
    wrong = next((at for at, pair in enumerate(zip(there, job.data)) if pair[0] != pair[1]),
                 min(len(there), len(job.data)))
    raise EdgekitError(f"the flash differs from the image at 0x{job.start + wrong:08x}",
                       "check the supply")
