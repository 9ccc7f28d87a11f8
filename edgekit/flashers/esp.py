"""Flash an ESP32 of any kind with esptool (GPL-2.0, so a program of its own, never imported)."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from edgekit import log, tools
from edgekit.errors import EdgekitError, NotThere, UsageError
from edgekit.flashers.job import Job, incomplete
from edgekit.port_list import find_port

BAUD = 460_800
SECONDS = 300.0
VERIFIED = "Hash of data verified."

_FAILURES = (
    (r"This chip is ([\w-]+), not ([\w-]+)", EdgekitError, "the chip is {0}, the firmware is for {1}. "
     "Nothing was erased", "is this the right port and the right --board?"),
    (r"Could not open ([^,]+), the port is busy or doesn't exist", NotThere,
     "{0} is not there, or another program has it open", "edgekit ports lists ports; close monitors"),
    (r"(?:Failed to connect|No serial data received)", EdgekitError,
     "no ESP boot loader answers. Nothing was erased",
     "hold BOOT, press RESET, release BOOT, and run it again"),
    (r"will not fit in (\d+) bytes of flash", EdgekitError,
     "the image does not fit the chip's flash of {0} bytes. Nothing was erased",
     "prune the model, or choose a larger module"),
    (r"(?i)secure download mode", EdgekitError, "the chip is in secure download mode: what is written "
     "there cannot be verified", "use a chip whose eFuses are not burnt, or its own tool"),
)


def flash(job: Job) -> str:
    """Write the image, or all images of an ESP-IDF project; every one's hash is verified."""
    esptool = _program()
    chip = job.board.cpu.core.replace("-", "")
    port = job.port or find_port(job.board)
    with tempfile.TemporaryDirectory(prefix="edgekit-flash-") as folder:
        parts = _project_parts(job.build) if job.build else _bare_parts(job, Path(folder))
        command = [esptool, "--chip", chip, "--port", port, "--baud", str(job.baud or BAUD),
                   "--before", "default-reset", "--after", "hard-reset", "write-flash"]
        for offset, file in parts:
            command += [hex(offset), str(file)]
        log.step(f"esptool writes {sum(file.stat().st_size for _, file in parts):,} bytes")
        code, output = tools.watch(command, _progress, timeout_s=SECONDS)
    _judge(code, output, len(parts))
    return "hash"


def _program() -> str:
    hint = "pip install 'edgekit[flash]'"
    program = tools.require("esptool", hint)
    version = tools.run([program, "version"]).stdout.decode(errors="replace")
    number = re.search(r"(\d+)\.\d+", version)
    if not number or int(number[1]) < 5:
        raise NotThere(f"esptool is version {number[0] if number else 'unknown'}, 5 is needed", hint)
    return program


def _bare_parts(job: Job, folder: Path) -> list[tuple[int, Path]]:
    """A firmware without ESP-IDF is one image, which the ROM maps from the flash's beginning."""
    image = folder / "image.bin"
    image.write_bytes(job.data)
    return [(job.start - job.board.memories("flash")[0].origin, image)]


def _project_parts(build: Path) -> list[tuple[int, Path]]:
    """Boot loader, partition table and application, as ESP-IDF's build lists them."""
    listed = build / "flasher_args.json"
    try:
        files = json.loads(listed.read_text(encoding="utf-8"))["flash_files"]
        parts = sorted((int(offset, 0), build / name) for offset, name in files.items())
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(f"{listed} is not there or damaged", "edgekit build the project again"
                         ) from error
    for _, file in parts:
        if not file.is_file():
            raise UsageError(f"{file} is not there", "edgekit build the project again")
    return parts


def _progress(text: str) -> None:
    for percent in re.findall(r"(\d+)(?:\.\d+)? ?%", text):
        log.progress("write", int(percent), 100)


def _judge(code: int, output: str, parts: int) -> None:
    begun = "Writing at" in output or "Erasing" in output
    for sign, kind, meaning, hint in _FAILURES:
        found = re.search(sign, output)
        # Secure download mode ends with 0 and verifies nothing.
        if found and (code or VERIFIED not in output):
            raise kind(meaning.format(*found.groups()), hint)
    verified = output.count(VERIFIED)
    if code or verified != parts:
        lines = [line.strip() for line in output.splitlines() if line.strip()] or ["nothing"]
        error = EdgekitError(f"esptool ended with {code}, {verified} of {parts} images verified: "
                             f"{lines[-1][:200]}", "try a lower --baud and another cable")
        if not begun:
            raise error
        with incomplete():
            raise error
