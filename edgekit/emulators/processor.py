"""One emulated processor: the board's memories, the ELF in them, and runs between addresses."""

from __future__ import annotations

import threading

from edgekit.board import Board
from edgekit.emulators.cpu import CpuModel
from edgekit.emulators.elf import Program
from edgekit.emulators.faults import Access, fault
from edgekit.emulators.peripherals import Peripherals
from edgekit.emulators.semihosting import answer, is_call
from edgekit.errors import DoesNotFit, EmulationFault

# The page to which called functions return: used by no board, and executable on Armv7-M,
# where everything from 0xA0000000 on is not.
RETURN = 0x9FFF_F000
_PAGE = 0x1000


def _pages(origin: int, size: int) -> tuple[int, int]:
    start = origin & -_PAGE
    return start, ((origin + size + _PAGE - 1) & -_PAGE) - start


class Processor:
    """Memories, peripherals and registers; every refused access is an EmulationFault."""

    def __init__(self, program: Program, board: Board, cpu: CpuModel):
        import unicorn
        self.program, self.board, self.cpu = program, board, cpu
        self.transcript = bytearray()
        self.exit_code: int | None = None
        self._access: Access | None = None
        self._trap: tuple[int, int] | None = None
        self.uc = unicorn.Uc(cpu.architecture, cpu.mode)
        self.uc.ctl_set_cpu_model(cpu.model)
        self.uc.mem_map(RETURN, _PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        for memory in board.memory:
            rights = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
            rights |= unicorn.UC_PROT_WRITE if memory.kind == "ram" else 0
            self.uc.mem_map(*_pages(memory.origin, memory.size), rights)
        self._peripherals = Peripherals(self.uc, board, cpu.family, self.transcript.append,
                                        self._exited)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._refused)
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._trapped)
        if board.memory:
            self._load()

    def _load(self) -> None:
        """Segments at their physical addresses; the firmware's start-up copies .data itself."""
        for segment in self.program.segments:
            if not segment.data:
                continue
            end = segment.address + len(segment.data)
            if not any(m.origin <= segment.address and end <= m.origin + m.size
                       for m in self.board.memory):
                raise DoesNotFit(
                    f"{self.program.name}: 0x{segment.address:08x} to 0x{end:08x} is in no memory "
                    f"of {self.board.title}", "was it built for another board?")
            self.uc.mem_write(segment.address, segment.data)

    def _refused(self, uc, kind, address, size, value, _data) -> bool:
        self._access = Access(kind, address, size)
        return False

    def _trapped(self, uc, number, _data) -> None:
        pc = uc.reg_read(self.cpu.pc)
        if is_call(uc, self.cpu, pc):
            answer(uc, self.cpu, pc, self.transcript.append, self._exited)
        else:
            self._trap = (number, pc)
            uc.emu_stop()

    def _exited(self, code: int) -> None:
        self.exit_code = code
        self.uc.emu_stop()

    def run(self, start: int, until: int, *, seconds: float = 0, instructions: int = 0) -> bool:
        """Run from `start`; whether `until` was reached.

        `seconds` and `instructions` bound the run where they are not 0; counting halves its
        speed. Raises EmulationFault for what a board would not survive.
        """
        import unicorn
        self._access = self._trap = self.exit_code = None
        begin = start | 1 if self.cpu.family == "cortex-m" else start
        watchdog = threading.Timer(seconds, self.uc.emu_stop) if seconds else None
        if watchdog:
            watchdog.daemon = True
            watchdog.start()
        try:
            self.uc.emu_start(begin, until, count=instructions)
        except unicorn.UcError as error:
            raise self._fault(error) from None
        finally:
            if watchdog:
                watchdog.cancel()
        if self._trap:
            number, pc = self._trap
            raise EmulationFault(f"exception {number} at pc {self.program.where(pc)}")
        return self.pc == until

    def _fault(self, error) -> EmulationFault:
        uc, cpu = self.uc, self.cpu
        pc = self.pc
        if self._access is None:
            import unicorn
            if error.errno == unicorn.UC_ERR_INSN_INVALID:
                error = "undefined instruction"
            return EmulationFault(f"{error} at pc {self.program.where(pc)}")
        return fault(self.program, self._access, pc, uc.reg_read(cpu.sp), uc.reg_read(cpu.lr))

    @property
    def pc(self) -> int:
        return self.uc.reg_read(self.cpu.pc)

    def prepare(self, stack: int, argument: int = 0) -> None:
        """Registers for a call that returns to RETURN."""
        thumb = 1 if self.cpu.family == "cortex-m" else 0
        self.uc.reg_write(self.cpu.sp, stack)
        self.uc.reg_write(self.cpu.lr, RETURN | thumb)
        self.uc.reg_write(self.cpu.argument, argument)
