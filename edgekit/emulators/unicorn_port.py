"""A serial port to firmware in unicorn: reading it runs the firmware until that waits for a byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgekit.board import Board
from edgekit.emulators.boot import boot
from edgekit.emulators.cpu import cpu_model
from edgekit.emulators.elf import Program
from edgekit.emulators.machine import BOOT_INSTRUCTIONS
from edgekit.emulators.processor import Processor
from edgekit.errors import EmulationFault, UsageError
from edgekit.firmware import Firmware

RUN_SECONDS = 120.0
# Where firmware looks for a byte, and how often in vain before it is taken to wait for one.
_LOOKS, _IDLE_AFTER = "board_getc", 4
# An address that no firmware reaches.
_NOWHERE = 0xFFFF_FFF0


@contextmanager
def open_port(firmware: Firmware, board: Board) -> Iterator[EmulatedPort]:
    """Boot firmware that has the link, and have the host's end of its UART."""
    program = Program(firmware.elf)
    try:
        processor = Processor(program, board, cpu_model(board.cpu.core, board.cpu.isa))
        if processor.peripherals.uart is None:
            raise UsageError(f"the UART of {board.title} is not emulated", "use --link memory")
        boot(processor, instructions=BOOT_INSTRUCTIONS, seconds=RUN_SECONDS)
        yield EmulatedPort(processor)
    finally:
        program.close()


class EmulatedPort:
    """`read` and `write` of `serial_port.Port`."""

    def __init__(self, processor: Processor):
        import unicorn
        self._processor, self._uart = processor, processor.peripherals.uart
        self._taken = len(processor.transcript)
        self._in_vain = self._sent = 0
        at = processor.program.symbol(_LOOKS)
        processor.uc.hook_add(unicorn.UC_HOOK_CODE, self._looked, begin=at, end=at)

    def _looked(self, uc, _address, _size, _data) -> None:
        sent = len(self._processor.transcript)
        if self._uart.waiting or sent != self._sent:  # it also looks between two bytes it sends
            self._in_vain, self._sent = 0, sent
            return
        self._in_vain += 1
        if self._in_vain > _IDLE_AFTER:
            uc.emu_stop()

    def read(self) -> bytes:
        """What the firmware sent; EmulationFault where it ended or does not come back."""
        processor = self._processor
        if processor.exit_code is not None:  # what it said before has been read
            raise EmulationFault(f"the firmware ended with code {processor.exit_code} while the host "
                                 "talked to it")
        self._in_vain = 0
        processor.run(processor.pc, _NOWHERE, seconds=RUN_SECONDS)
        self._check()
        data = bytes(processor.transcript[self._taken:])
        self._taken = len(processor.transcript)
        return data

    def _check(self) -> None:
        processor = self._processor
        at_rest = processor.pc == processor.program.symbol(_LOOKS)
        if processor.exit_code is None and not at_rest:
            raise EmulationFault(f"the firmware did not come back to its link within "
                                 f"{RUN_SECONDS:g} s; it is at pc {processor.program.where(processor.pc)}")

    def write(self, data: bytes) -> None:
        self._uart.waiting.extend(data)
