"""What went wrong in the emulated CPU, in words with function and line."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.emulators.elf import Program
from edgekit.errors import EmulationFault

_NEAR_STACK = 1 << 16  # a larger frame than this is no stack overflow but a wild pointer


@dataclass(frozen=True, slots=True)
class Access:
    """A memory access that was refused; `kind` is unicorn's UC_MEM_ constant."""

    kind: int
    address: int
    size: int

    def __str__(self) -> str:
        import unicorn
        what = {
            unicorn.UC_MEM_READ_UNMAPPED: "read from unmapped",
            unicorn.UC_MEM_WRITE_UNMAPPED: "write to unmapped",
            unicorn.UC_MEM_FETCH_UNMAPPED: "jump to unmapped",
            unicorn.UC_MEM_WRITE_PROT: "write to flash",
            unicorn.UC_MEM_READ_PROT: "read from protected",
            unicorn.UC_MEM_FETCH_PROT: "jump to data at",
        }[self.kind]
        size = "" if self.jump else f" ({self.size} byte{'s' if self.size != 1 else ''})"
        return f"{what} 0x{self.address:08x}{size}"

    @property
    def jump(self) -> bool:
        import unicorn
        return self.kind in (unicorn.UC_MEM_FETCH_UNMAPPED, unicorn.UC_MEM_FETCH_PROT)


def fault(program: Program, access: Access, pc: int, sp: int, lr: int) -> EmulationFault:
    """The fault of a refused access at `pc`."""
    limit = program.symbols.get("__stack_limit")
    if limit is not None and limit - _NEAR_STACK <= access.address < limit \
            and sp - limit < _NEAR_STACK:
        top = program.symbols.get("__stack_top", limit)
        return EmulationFault(
            f"stack overflow: it reached 0x{access.address:08x}, {limit - access.address:,} bytes "
            f"below the stack's {top - limit:,}, at pc {program.where(pc)}",
            "link with a larger stack: -Wl,--defsym=__stack_size=<bytes>")
    if access.jump:  # the caller tells more than the address that nobody is at
        return EmulationFault(f"{access} from {program.where((lr & ~1) - 2)}")
    return EmulationFault(f"{access} at pc {program.where(pc)}")
