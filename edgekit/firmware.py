"""Firmware: what a builder made, with the path of its ELF file, and the bytes it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.board import Board
from edgekit.elf import Section, read_sections


@dataclass(frozen=True, slots=True)
class Firmware:
    """A built project.

    `elf` is the linked file (a shared library's or Linux program's path for hosted boards),
    `image` what a flasher writes (None where the ELF is it), `text`, `data` and `bss` are
    bytes as the `size` program counts them, `toolchain` is the compiler and its version.
    """

    elf: Path
    toolchain: str
    text: int
    data: int
    bss: int
    image: Path | None = None


def read_sizes(elf: Path) -> tuple[int, int, int]:
    """(text, data, bss) in bytes, as the `size` program counts them.

    Read-only sections are text, constants included; sections without bytes in the file are
    bss, stack and arena included. EdgekitError where the file is no ELF file.
    """
    text = data = bss = 0
    for section in read_sections(elf):
        if not section.in_file:
            bss += section.size
        elif section.writable:
            data += section.size
        else:
            text += section.size
    return text, data, bss


def regions(elf: Path, board: Board) -> tuple[tuple[str, int, int], ...]:
    """(name, used bytes, size in bytes) of each of the board's memories.

    Used is the distance from the region's start to the end of the last section in it, as the
    GNU linker's --print-memory-usage counts it; initialised variables count in both RAM and
    flash. Empty for boards whose memory an operating system hands out.
    """
    sections = read_sections(elf)
    return tuple((memory.name, _used(sections, memory.origin, memory.size), memory.size)
                 for memory in board.memory)


def _used(sections: tuple[Section, ...], origin: int, size: int) -> int:
    ends = [0]
    for section in sections:
        # A section occupies its run-time address, and its load address if it has bytes there.
        for start in {section.address, section.load_address if section.in_file else section.address}:
            if origin <= start < origin + size:
                ends.append(start + section.size - origin)
    return max(ends)
