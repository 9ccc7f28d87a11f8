"""The sections of an ELF file that take memory, with no package beyond Python's own.

Layout: System V ABI, chapter 4 (object files) and 5 (program headers).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import EdgekitError

_ALLOC, _WRITE, _EXECUTE, _TLS = 2, 1, 4, 0x400
_NOBITS, _LOAD = 8, 1

# (ELF header after its 16 identification bytes, section header, program header).
_HEADERS = {1: ("HHIIIIIHHHHHH", "IIIIIIIIII", "IIIIIIII"),
            2: ("HHIQQQIHHHHHH", "IIQQQQIIQQ", "IIQQQQQQ")}


@dataclass(frozen=True, slots=True)
class Section:
    """A section in memory; `load_address` is where its bytes lie before start-up code moves them."""

    name: str
    address: int
    load_address: int
    size: int
    in_file: bool
    writable: bool
    executable: bool


def read_sections(path: Path) -> tuple[Section, ...]:
    """The allocated sections, in file order; EdgekitError where it is no linked ELF file."""
    return _read(path, _sections)


def read_image(path: Path) -> tuple[tuple[int, bytes], ...]:
    """(load address, bytes) of each segment that a flasher writes, by address."""
    return _read(path, _image)


def machine(path: Path) -> int:
    """The number of the processor that the file is for (gABI, e_machine)."""
    return _read(path, lambda data: struct.unpack_from(_layouts(data)[0], data, 16)[1])


def _read(path: Path, part):
    try:
        return part(path.read_bytes())
    except OSError as error:
        raise EdgekitError(f"{path.name} cannot be read: {error.strerror}") from error
    except (struct.error, KeyError, IndexError, ValueError) as error:
        raise EdgekitError(f"{path.name} is not a whole ELF file") from error


def _layouts(data: bytes) -> list[str]:
    """The struct layouts of the ELF header, a section header and a program header."""
    if data[:4] != b"\x7fELF":
        raise ValueError("no ELF magic")
    order = {1: "<", 2: ">"}[data[5]]
    return [order + layout for layout in _HEADERS[data[4]]]


def _image(data: bytes) -> tuple[tuple[int, bytes], ...]:
    header, _, program = _layouts(data)
    values = struct.unpack_from(header, data, 16)
    loads = _loads(data, program, values[4], values[9], wide=data[4] == 2, with_offset=True)
    return tuple(sorted((physical, data[offset:offset + length])
                        for _, physical, length, offset in loads if length))


def _sections(data: bytes) -> tuple[Section, ...]:
    header, section, program = _layouts(data)
    (_, _, _, _, program_at, section_at, _, _, _, program_count, _, section_count,
     names) = struct.unpack_from(header, data, 16)
    loads = _loads(data, program, program_at, program_count, wide=data[4] == 2)
    rows = [struct.unpack_from(section, data, section_at + i * struct.calcsize(section))
            for i in range(section_count)]
    strings = rows[names][4]
    return tuple(_section(row, _string(data, strings + row[0]), loads)
                 for row in rows if row[2] & _ALLOC)


def _loads(data: bytes, layout: str, at: int, count: int, *, wide: bool,
           with_offset: bool = False):
    """(virtual address, physical address, bytes in the file) of each loaded segment, and where
    they are in the file."""
    rows = [struct.unpack_from(layout, data, at + i * struct.calcsize(layout))
            for i in range(count)]
    order = (3, 4, 5) if wide else (2, 3, 4)
    if with_offset:
        order = (*order, 2 if wide else 1)
    return [tuple(row[i] for i in order) for row in rows if row[0] == _LOAD]


def _section(row: tuple[int, ...], name: str, loads) -> Section:
    _, kind, flags, address, _, size, *_ = row
    load = next((physical + address - virtual for virtual, physical, length in loads
                 if virtual <= address and address + size <= virtual + length), address)
    # Thread-local zeros are a template without an address of their own.
    size = 0 if kind == _NOBITS and flags & _TLS else size
    return Section(name, address, load, size, kind != _NOBITS, bool(flags & _WRITE),
                   bool(flags & _EXECUTE))


def _string(data: bytes, at: int) -> str:
    return data[at:data.index(b"\0", at)].decode(errors="replace")
