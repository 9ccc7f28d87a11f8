"""Emulated firmware behind its UART: the link's frames, as a board on a cable has them.

QEMU has the UART on a pty, which is opened as any serial port. unicorn has it in this process:
the firmware runs while somebody reads, until it idles.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edgekit.board import Board
from edgekit.emulators import qemu_machines
from edgekit.emulators.boot import boot
from edgekit.emulators.cpu import cpu_model
from edgekit.emulators.elf import Program
from edgekit.emulators.machine import BOOT_INSTRUCTIONS
from edgekit.emulators.processor import Processor
from edgekit.errors import EdgekitError, EmulationFault, UsageError
from edgekit.firmware import Firmware
from edgekit.serial_link import SerialLink, open_serial
from edgekit.tools import Pipe

START_S, END_S = 20.0, 2.0
RUN_SECONDS = 120.0
# Where firmware looks for a byte, and how often in vain before it is taken to wait for one.
_LOOKS, _IDLE_AFTER = "board_getc", 4
# A pty has no speed; an emulator on a busy machine takes bytes slowly, and waits follow this number.
_BAUD = 1_200


@contextmanager
def open_framed(engine: str, firmware: Firmware, board: Board) -> Iterator[SerialLink]:
    """A Link through the frames of firmware that was built with the link, for an emulator.

    Nothing is measured: an emulated clock's numbers are none. EmulationFault where the firmware
    ends or stops, NotThere without the emulator.
    """
    opened = _in_qemu if engine == "qemu" else _in_unicorn
    with opened(firmware, board) as link:
        yield link


@contextmanager
def _in_qemu(firmware: Firmware, board: Board) -> Iterator[SerialLink]:
    with tempfile.TemporaryDirectory(prefix="edgekit-qemu-") as folder:
        errors = Path(folder) / "errors"
        with closing(Pipe(qemu_machines.serial_command(board, firmware.elf), errors)) as pipe:
            try:
                with open_serial(_pty(pipe, errors), _BAUD, "qemu, by frames", False) as link:
                    yield link
            except EdgekitError as error:
                code = pipe.exit_code(END_S)  # its pty goes first
                if code is None:
                    raise
                raise EmulationFault(f"the firmware in QEMU ended with code {code} while the host "
                                     f"talked to it: {error.message}", "emulate it with "
                                     "--engine unicorn, which says where") from error


def _pty(pipe: Pipe, errors: Path) -> str:
    """The pty's path, as QEMU prints it."""
    said = b""
    while (data := pipe.read(START_S)):
        said += data
        found = re.search(rb"redirected to (\S+)", said)
        if found:
            return found[1].decode()
    raise EmulationFault("QEMU names no pty for the board's UART",
                         errors.read_text(errors="replace").strip()[:300])


@contextmanager
def _in_unicorn(firmware: Firmware, board: Board) -> Iterator[SerialLink]:
    cpu = cpu_model(board.cpu.core, board.cpu.isa)
    program = Program(firmware.elf)
    try:
        processor = Processor(program, board, cpu)
        if processor.peripherals.uart is None:
            raise UsageError(f"the UART of {board.title} is not emulated", "use --link memory")
        boot(processor, instructions=BOOT_INSTRUCTIONS, seconds=RUN_SECONDS)
        link = SerialLink(EmulatedPort(processor), "unicorn, by frames", False)
        yield link
        link.bye()
    finally:
        program.close()


class EmulatedPort:
    """What `serial_port.Port` is, of a UART in this process: reading runs the firmware until it waits
    for a byte that is not there."""

    name, baud = "the emulated UART", _BAUD

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

    def read(self, limit: int = 4096) -> bytes:
        """What the firmware sent; EmulationFault where it ended or does not come back."""
        del limit  # all of it is in memory anyway
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

    def forget_input(self) -> None:
        self._taken = len(self._processor.transcript)

    def close(self) -> None:
        """There is nothing to close."""


# An address that no firmware reaches.
_NOWHERE = 0xFFFF_FFF0
