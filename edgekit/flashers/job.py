"""What is to be flashed: bytes and their address, and the checks that need no board."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgekit import elf, uf2
from edgekit.board import Board
from edgekit.errors import DoesNotFit, EdgekitError, UsageError


@dataclass(frozen=True, slots=True)
class Job:
    """A file for a board; `port` and `baud` are the user's, None where a flasher may choose.

    `start` and `data` are what lies in flash; for a Linux program 0 and the file itself.
    `build` is the build folder of a project of ESP-IDF, which has several images.
    """

    board: Board
    file: Path
    start: int
    data: bytes
    port: str | None = None
    baud: int | None = None
    build: Path | None = None


def read_job(file: Path, board: Board, port: str | None = None, baud: int | None = None,
             build: Path | None = None) -> Job:
    """The Job of an .elf, a .uf2, or a .bin that begins where the board's flash begins.

    DoesNotFit where it reaches beyond the flash, UsageError for other files.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", "give a project or an image"
                         ) from error
    if not board.memory:
        return Job(board, file, 0, content, port, baud, build)
    start, data = _joined(_segments(file, content, board))
    _check_place(file, board, start, data)
    return Job(board, file, start, data, port, baud, build)


def _segments(file: Path, content: bytes, board: Board) -> tuple[tuple[int, bytes], ...]:
    """(address, bytes) of an ELF or UF2 file, or of a .bin at the flash's beginning."""
    if content[:4] == b"\x7fELF":
        return elf.read_image(file)
    if content[:4] == b"UF2\n":
        blocks = uf2.unpack(content)
        if blocks[0].family != uf2.family(board.port):
            raise UsageError(f"{file.name} is for the UF2 family 0x{blocks[0].family:08x}, "
                             f"{board.title} is 0x{uf2.family(board.port):08x}",
                             "is it built for this board?")
        return tuple((block.address, block.data) for block in blocks)
    if file.suffix != ".bin":
        raise UsageError(f"{file.name} is neither ELF, UF2 nor a .bin",
                         "give what edgekit build made, or its project")
    return ((board.memories("flash")[0].origin, content),)


def _joined(loads: tuple[tuple[int, bytes], ...]) -> tuple[int, bytes]:
    """One run of bytes; gaps are 0xFF, as erased flash."""
    if not loads:
        return 0, b""
    start = min(address for address, _ in loads)
    end = max(address + len(data) for address, data in loads)
    if end - start > 2**28:
        raise UsageError(f"the image reaches from 0x{start:08x} to 0x{end:08x}",
                         "is it linked for this board?")
    joined = bytearray(b"\xff" * (end - start))
    for address, data in loads:
        joined[address - start:address - start + len(data)] = data
    return start, bytes(joined)


def _check_place(file: Path, board: Board, start: int, data: bytes) -> None:
    if not data:
        raise UsageError(f"{file.name} holds nothing to flash", "build the project again")
    for memory in board.memories("flash"):
        if memory.origin <= start < memory.origin + memory.size:
            if start + len(data) <= memory.origin + memory.size:
                return
            room = memory.origin + memory.size - start
            raise DoesNotFit(f"{file.name} has {len(data):,} bytes; {board.title} has {room:,} from "
                             f"0x{start:08x} on", "prune the model, or choose a larger board")
    raise DoesNotFit(f"{file.name} belongs at 0x{start:08x}, where {board.title} has no flash",
                     "is it built for this board?")


@contextmanager
def incomplete() -> Iterator[None]:
    """Say of any failure inside that the flash is incomplete now."""
    try:
        yield
    except EdgekitError as error:
        error.message = f"{error.message}; the flash is incomplete"
        error.args = (error.message,)
        error.hint = f"run it again: {error.hint}" if error.hint else "run it again"
        raise
