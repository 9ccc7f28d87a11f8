"""The command `flash`: a project or an image onto a board, by the board's own way."""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgekit import device
from edgekit.board import Board, load_board
from edgekit.documents import document
from edgekit.errors import EdgekitError, NotThere, UsageError
from edgekit.flashers.job import Job, read_job
from edgekit.project import builder, open_project
from edgekit.serial_link import SerialLink, open_serial

# Seconds until a board that starts has its USB serial port again.
APPEARS_S = 10.0
WAYS = ("esp", "stm32", "uf2", "probe", "ssh")


def flash(source, board: str | None = None, *, port: str | None = None, baud: int | None = None,
          by: str | None = None, toolchain: str = "auto", hello: str | None = None) -> dict:
    """`edgekit.flash`: `source` is a project folder, which is built first, or an .elf or .bin.

    `by` is one of WAYS; None is the board's own. Verified always, `verified` says how: read back
    (byte for byte), hash (by the chip), sha256 (over there), accepted (the boot loader restarts
    only when it has every block). With `hello`, a serial port, the firmware's HELLO is waited for
    there, for so long as a board may take to start. Raises NotThere, DoesNotFit, UsageError, EdgekitError; a message
    says where the flash was left incomplete.
    """
    path = Path(source)
    job = _of_project(path, board, port, baud, toolchain) if path.is_dir() else _of_image(
        path, board, port, baud)
    way = by or job.board.flasher
    if way not in WAYS:
        raise UsageError(f"{job.board.title} has nothing to flash" if way is None else
                         f"unknown way '{way}'", f"--by, one of {', '.join(WAYS)}")
    verified = importlib.import_module(f"edgekit.flashers.{way}").flash(job)
    return document("flash", board=job.board.name, by=way, image=str(job.file), port=port,
                    bytes=len(job.data), sha256=hashlib.sha256(job.data).hexdigest(),
                    verified=verified, hello=_wait_for_hello(job, hello) if hello else None)


def _wait_for_hello(job: Job, port: str) -> dict:
    """What the new firmware says of itself; EdgekitError where it is silent, or another board's or
    model's than the image."""
    serial = job.board.serial
    with _started(port, serial.baud if serial else device.BAUD) as link:
        said = link.greeting
    if said.board != job.board.name or said.model_sha256.encode() not in job.data:
        raise EdgekitError(f"the firmware that answers on {port} is not what was flashed: board "
                           f"'{said.board}', model {said.model_sha256[:16]}",
                           "is it that board's port? reset the board and look: edgekit monitor")
    return {"board": said.board, "model_sha256": said.model_sha256}


@contextmanager
def _started(port: str, baud: int) -> Iterator[SerialLink]:
    """A port that may come with the firmware, as a USB device does."""
    end = time.monotonic() + APPEARS_S
    while True:
        try:
            with open_serial(port, baud) as link:
                yield link
                return
        except NotThere:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _of_project(folder: Path, board: str | None, port: str | None, baud: int | None,
                toolchain: str) -> Job:
    opened = open_project(folder)
    if board not in (None, opened.board.name):
        raise UsageError(f"{folder} is for {opened.board.name}, not {board}",
                         f"generate it with --board {board}")
    built = builder(opened.form)
    if not hasattr(built, "build"):
        raise UsageError(f"the form {opened.form} has no firmware of its own",
                         "flash what your own project builds: edgekit flash IMAGE --board B")
    # Not for an emulator, even where the board has one: firmware that ends is no use on a desk.
    options = {"emulated": False} if opened.form == "cmake" else {}
    firmware = built.build(folder, opened.board, toolchain=toolchain, optimize=opened.optimize,
                           **options)
    build_folder = firmware.elf.parent if opened.form == "esp-idf" else None
    return read_job(firmware.elf, opened.board, port, baud, build_folder)


def _of_image(path: Path, board: str | None, port: str | None, baud: int | None) -> Job:
    if board is None:
        raise UsageError("a board is needed for an image", "add --board NAME")
    chosen: Board = load_board(board)
    return read_job(path, chosen, port, baud)
