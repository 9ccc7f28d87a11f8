"""From an instruction's address to its source line, by the ELF's DWARF line tables."""

from __future__ import annotations

import bisect


class Lines:
    """The line tables of an open pyelftools ELFFile; empty where it was built without -g."""

    def __init__(self, elf):
        rows: dict[int, tuple[str, int]] = {}
        if elf.has_dwarf_info():
            dwarf = elf.get_dwarf_info()
            for unit in dwarf.iter_CUs():
                program = dwarf.line_program_for_CU(unit)
                if program is not None:
                    _enter_lines(program, rows)
        # (address, file, line) by address; line 0 ends a sequence.
        self._rows = sorted((address, name, line) for address, (name, line) in rows.items())

    def at(self, address: int) -> str | None:
        """'file.c:12', or None where no line is known."""
        index = bisect.bisect_right(self._rows, (address, "\U0010ffff", 0)) - 1
        if index < 0 or self._rows[index][2] == 0:
            return None
        return f"{self._rows[index][1]}:{self._rows[index][2]}"


def _enter_lines(program, rows: dict[int, tuple[str, int]]) -> None:
    """Add one unit's line table; functions that the linker dropped are at address 0 in it."""
    files, first = program["file_entry"], 0 if program["version"] >= 5 else 1
    states = [entry.state for entry in program.get_entries() if entry.state is not None]
    dropped, begins = False, True
    for state in states:
        if begins:
            dropped = state.address == 0
        begins = state.end_sequence
        if dropped:
            continue
        if state.end_sequence:
            rows.setdefault(state.address, ("", 0))
            continue
        name = files[state.file - first].name.decode(errors="replace")
        rows[state.address] = (name.replace("\\", "/").rsplit("/", 1)[-1], state.line)
