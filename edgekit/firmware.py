"""Firmware: what a builder made, with the path of its ELF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
