"""One emulated processor: the board's memories, the ELF in them, and runs between addresses."""

from __future__ import annotations

import threading

from edgekit.board import Board
from edgekit.emulators.cpu import CpuModel
from edgekit.emulators.elf import Program
from edgekit.emulators.faults import Access, exception, fault
from edgekit.emulators.memory_map import RETURN, board_regions, map_regions, program_regions
from edgekit.emulators.peripherals import Peripherals, step_over_counter
from edgekit.emulators.semihosting import answer, is_call
from edgekit.errors import EmulationFault


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
        map_regions(self.uc, board_regions(program, board) if board.memory
                    else program_regions(program))
        self.peripherals = Peripherals(self.uc, board, cpu.family, self.transcript.append,
                                       self._exited)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._refused)
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._trapped)

    def _refused(self, uc, kind, address, size, value, _data) -> bool:
        self._access = Access(kind, address, size)
        return False

    def _trapped(self, uc, number, _data) -> None:
        pc = uc.reg_read(self.cpu.pc)
        if is_call(uc, self.cpu, pc):
            answer(uc, self.cpu, pc, self.transcript.append, self._exited)
        elif not step_over_counter(uc, self.cpu, self.board, pc):
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
            raise exception(self.program, self.cpu.family, *self._trap)
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
