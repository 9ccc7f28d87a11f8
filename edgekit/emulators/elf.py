"""An ELF file as the emulator needs it: what to load where, symbols, and lines from DWARF."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edgekit.emulators.dwarf_lines import Lines
from edgekit.errors import EdgekitError, NotThere

HINT = "pip install 'edgekit[emulator]'"
_MAPPING = ("$t", "$a", "$d", "$x")


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes to load: `address` is physical (.data at its load address, as in flash)."""

    address: int
    virtual: int
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Region:
    """A run of machine code between data: no function begins inside it."""

    address: int
    data: bytes


class Program:
    """A linked ELF file; EdgekitError where it is none, NotThere without pyelftools."""

    def __init__(self, path: Path):
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.elffile import ELFFile
        except ImportError as error:
            raise NotThere("the Python package pyelftools is not there", HINT) from error
        try:
            self._stream = path.open("rb")
            self._elf = ELFFile(self._stream)
        except (OSError, ELFError) as error:
            raise EdgekitError(f"{path.name}: not an ELF file: {error}") from error
        self.name = path.name
        self.entry: int = self._elf["e_entry"]
        self.architecture: str = self._elf["e_machine"]
        self.static = not any(s["p_type"] == "PT_INTERP" for s in self._elf.iter_segments())
        self.segments = tuple(Segment(s["p_paddr"], s["p_vaddr"], s.data(), s["p_memsz"])
                              for s in self._elf.iter_segments()
                              if s["p_type"] == "PT_LOAD" and s["p_memsz"])
        self._read_symbols()

    def close(self) -> None:
        self._stream.close()

    def _read_symbols(self) -> None:
        table = self._elf.get_section_by_name(".symtab")
        self.symbols: dict[str, int] = {}
        self._functions: list[tuple[int, int, str]] = []
        self._mapping: list[tuple[int, str]] = []
        thumb = ~1 if self.architecture == "EM_ARM" else ~0
        for symbol in table.iter_symbols() if table else ():
            kind, value = symbol["st_info"]["type"], symbol["st_value"]
            if symbol.name.startswith(_MAPPING):
                self._mapping.append((value, symbol.name[:2]))
            elif symbol["st_shndx"] != "SHN_UNDEF" and symbol.name:
                code = kind in ("STT_FUNC", "STT_GNU_IFUNC")
                self.symbols[symbol.name] = value & thumb if code else value
                if code:
                    self._functions.append((value & thumb, symbol["st_size"], symbol.name))
        self._functions.sort()
        self._mapping.sort()

    def symbol(self, name: str) -> int:
        """A symbol's address (of functions without the Thumb bit)."""
        if name not in self.symbols:
            raise EdgekitError(f"{self.name}: there is no symbol '{name}'",
                               "build the firmware that was generated with this map")
        return self.symbols[name]

    def size(self, function: str) -> int:
        """A function's bytes."""
        return next((size for _, size, name in self._functions if name == function), 0)

    def section(self, *names: str) -> int | None:
        """The address of the first of those sections that is there."""
        found = (self._elf.get_section_by_name(name) for name in names)
        return next((section["sh_addr"] for section in found if section), None)

    def function_at(self, address: int) -> str | None:
        index = bisect.bisect_right(self._functions, (address, 1 << 64, "")) - 1
        while index >= 0:
            start, size, name = self._functions[index]
            if start <= address < start + max(size, 2):
                return name
            if address - start > 1 << 20:
                break
            index -= 1
        return None

    def where(self, address: int) -> str:
        """'0x08000792 in main (board.c:88)', as far as symbols and DWARF know."""
        text = f"0x{address:08x}"
        function, line = self.function_at(address), self.line_at(address)
        return text + (f" in {function}" if function else "") + (f" ({line})" if line else "")

    def line_at(self, address: int) -> str | None:
        """'file.c:12' of an instruction, or None where the ELF has no line for it."""
        return self._lines.at(address)

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self._elf)

    def relocations(self) -> list[tuple[int, int, int]]:
        """(place, kind, addend) of a static program's own relocations: its IFUNCs."""
        from elftools.elf.relocation import RelocationSection
        return [(entry["r_offset"], entry["r_info_type"], entry["r_addend"])
                for section in self._elf.iter_sections()
                if isinstance(section, RelocationSection) and section.is_RELA()
                and section["sh_flags"] & 2 for entry in section.iter_relocations()]

    @cached_property
    def code(self) -> tuple[Region, ...]:
        """All machine code by address, cut at function starts and at data inside code."""
        regions = []
        for section in self._elf.iter_sections():
            if section["sh_flags"] & 4 and section["sh_type"] == "SHT_PROGBITS":
                regions += self._regions(section["sh_addr"], section.data())
        return tuple(sorted(regions, key=lambda region: region.address))

    def _regions(self, base: int, data: bytes):
        end = base + len(data)
        cuts = {base: "$x", end: "$d"} | {start: None for start, _, _ in self._functions
                                          if base <= start < end}
        cuts |= {address: kind for address, kind in self._mapping if base <= address < end}
        kind, addresses = "$x", sorted(cuts)
        for address, following in zip(addresses, addresses[1:], strict=False):
            kind = cuts[address] or kind
            if kind != "$d" and following > address:
                yield Region(address, data[address - base:following - base])
