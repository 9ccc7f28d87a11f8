"""Which memory the emulated processor has: a board's own, or what a static program asks for."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.board import Board
from edgekit.emulators.elf import Program
from edgekit.errors import DoesNotFit, EdgekitError

# The page to which called functions return: used by no board, and executable on Armv7-M,
# where everything from 0xA0000000 on is not.
RETURN = 0x9FFF_F000
PAGE = 0x1000
# A Linux program's stack, as large as Linux makes it, and the block its thread pointer names.
STACK_TOP, STACK_SIZE, THREAD = 0x7F00_0000, 0x80_0000, 0x7E00_0000


@dataclass(frozen=True, slots=True)
class Region:
    """Memory in whole pages, with the bytes to put there as (address, bytes)."""

    origin: int
    size: int
    writable: bool
    contents: tuple[tuple[int, bytes], ...] = ()


def _paged(origin: int, end: int, writable: bool, contents=()) -> Region:
    start = origin & -PAGE
    return Region(start, (end - start + PAGE - 1) & -PAGE, writable, tuple(contents))


def board_regions(program: Program, board: Board) -> list[Region]:
    """The board's memories; segments at their physical addresses, as a flasher writes them.

    The firmware's own start-up copies .data. DoesNotFit where a segment is in no memory.
    """
    segments = [s for s in program.segments if s.data]
    for segment in segments:
        end = segment.address + len(segment.data)
        if not any(m.origin <= segment.address and end <= m.origin + m.size for m in board.memory):
            raise DoesNotFit(
                f"{program.name}: 0x{segment.address:08x} to 0x{end:08x} is in no memory of "
                f"{board.title}", "was it built for another board?")
    return [_paged(m.origin, m.origin + m.size, m.kind == "ram",
                   [(s.address, s.data) for s in segments
                    if m.origin <= s.address < m.origin + m.size]) for m in board.memory]


def program_regions(program: Program) -> list[Region]:
    """A static Linux program's segments at their virtual addresses, a stack, a thread block."""
    if not program.static:
        raise EdgekitError(f"{program.name}: it needs a dynamic linker",
                           "link with -static -no-pie")
    low = min(s.virtual for s in program.segments)
    high = max(s.virtual + s.size for s in program.segments)
    return [_paged(low, high, True, [(s.virtual, s.data) for s in program.segments]),
            Region(STACK_TOP - STACK_SIZE, STACK_SIZE, True), Region(THREAD, PAGE, True)]


def map_regions(uc, regions: list[Region]) -> None:
    """Map them, and RETURN.

    From large to small: unicorn 2.1 gives the same internal address to two memories when a
    smaller one was mapped before them, and then a store in one throws away the translated code
    at the same offset of the other. Results stay right, at a tenth of the speed.
    """
    import unicorn
    for region in sorted([*regions, Region(RETURN, PAGE, False)],
                         key=lambda region: (-region.size, region.origin)):
        rights = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        uc.mem_map(region.origin, region.size,
                   rights | (unicorn.UC_PROT_WRITE if region.writable else 0))
        for address, data in region.contents:
            uc.mem_write(address, data)
