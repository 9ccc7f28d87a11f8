"""Flash through a UF2 boot loader: a drive that takes one file and restarts when it has it all."""

from __future__ import annotations

import getpass
import os
import time
from pathlib import Path

from edgekit import log, uf2
from edgekit.errors import EdgekitError, NotThere, UsageError
from edgekit.flashers.job import Job, incomplete

# How Board-ID begins in the INFO_UF2.TXT of a port's boot loader.
BOARD_IDS = {"rp2040": "RPI-RP2", "rp2350": "RP2350"}
# Seconds in which a boot loader restarts when it has every block.
RESTART_S = 15.0


def flash(job: Job) -> str:
    """Copy the image to the boot loader's drive; it restarts only when every block is there.

    `--port` may name the drive's folder. NotThere where there is no drive, EdgekitError where it
    is another chip's or does not restart.
    """
    family = uf2.family(job.board.port)
    drive = _drive(job, BOARD_IDS[job.board.port])
    data = uf2.pack([(job.start, job.data)], family)
    log.step(f"copying {len(data):,} bytes to {drive}")
    with incomplete():
        _copy(data, drive)
        _wait_for_restart(drive)
    return "accepted"


def drives() -> list[Path]:
    """Mounted drives with an INFO_UF2.TXT."""
    user = getpass.getuser()
    places = [Path("/media") / user, Path("/run/media") / user, Path("/media"), Path("/Volumes"),
              *([Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"] if os.name == "nt" else [])]
    found = [folder for place in places if place.is_dir()
             for folder in ([place] if os.name == "nt" else sorted(place.iterdir()))]
    return [folder for folder in found if (folder / "INFO_UF2.TXT").is_file()]


def _drive(job: Job, board_id: str) -> Path:
    there = [Path(job.port)] if job.port else drives()
    fitting = [drive for drive in there if _board_id(drive).startswith(board_id)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{len(fitting)} boards wait for an image: {', '.join(map(str, fitting))}",
                         "choose one with --port FOLDER")
    others = ", ".join(f"{drive} ({_board_id(drive) or 'no INFO_UF2.TXT'})" for drive in there)
    if not there or (job.port and not there[0].is_dir()):
        raise NotThere(f"no UF2 drive of {job.board.title} is there"
                       + (f": {job.port} is no folder" if job.port else ""),
                       "hold BOOTSEL (or press reset twice) while you plug it in")
    raise EdgekitError(f"the UF2 drive is another chip's: {others}; {job.board.title} is {board_id}. "
                       "Nothing was written", "is this the right board?")


def _board_id(drive: Path) -> str:
    try:
        text = (drive / "INFO_UF2.TXT").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    for line in text.splitlines():
        if line.startswith("Board-ID:"):
            return line.removeprefix("Board-ID:").strip()
    return ""


def _copy(data: bytes, drive: Path) -> None:
    step = 64 * 1024
    try:
        with open(drive / "EDGEKIT.UF2", "wb", buffering=0) as file:
            for at in range(0, len(data), step):
                file.write(data[at:at + step])
                log.progress("copy", min(at + step, len(data)), len(data))
            os.fsync(file.fileno())
    except OSError as error:
        # The drive may go as soon as it has the last block, before it is told to.
        if drive.is_dir():
            raise EdgekitError(f"{drive} does not take the image: {error.strerror}",
                               "plug the board in again, holding BOOTSEL") from error


def _wait_for_restart(drive: Path) -> None:
    end = time.monotonic() + RESTART_S
    while (drive / "INFO_UF2.TXT").is_file():
        if time.monotonic() > end:
            raise EdgekitError(f"the boot loader on {drive} did not restart within {RESTART_S:g} s: "
                               "it has not taken every block", "plug the board in again, holding "
                               "BOOTSEL")
        time.sleep(0.1)
