"""Emulated firmware behind its UART: the link's frames, as a board on a cable has them.

QEMU has the UART on a pty, which is opened as any serial port; unicorn's is `unicorn_port.py`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edgekit.board import Board
from edgekit.emulators import qemu_machines
from edgekit.emulators.worker import open_port_in_worker
from edgekit.errors import EdgekitError, EmulationFault
from edgekit.firmware import Firmware
from edgekit.serial_link import SerialLink, open_serial
from edgekit.tools import Pipe

START_S, END_S = 20.0, 2.0
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
    with open_port_in_worker(firmware, board) as port:
        link = SerialLink(port, "unicorn, by frames", False)
        yield link
        link.bye()
