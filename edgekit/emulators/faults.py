"""What went wrong in the emulated CPU, in words with function and line."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.emulators.elf import Program
from edgekit.errors import EmulationFault

# unicorn's exception numbers: QEMU's for Arm, the privileged specification's for RISC-V.
EXCEPTIONS = {
    "cortex-m": {1: "undefined instruction", 2: "SVC that nobody handles",
                 3: "jump to memory that is not executable", 4: "data abort", 7: "breakpoint",
                 17: "coprocessor that is not there", 18: "jump to an address that is not Thumb"},
    "riscv": {0: "misaligned jump", 1: "jump to memory that is not executable",
              2: "illegal instruction", 3: "breakpoint", 4: "misaligned read",
              5: "read from memory that is not readable", 6: "misaligned write",
              7: "write to memory that is not writable", 11: "ECALL that nobody handles"},
}
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


def exception(program: Program, family: str, number: int, pc: int) -> EmulationFault:
    """The fault of an exception that the firmware cannot take, since there is no NVIC here."""
    what = EXCEPTIONS.get(family, {}).get(number, f"exception {number}")
    return EmulationFault(f"{what} at pc {program.where(pc)}")
