"""Which QEMU machine a board is, and its registers as QEMU's GDB stub numbers them."""

from __future__ import annotations

from pathlib import Path

from edgekit import tools
from edgekit.board import Board
from edgekit.emulators.gdb_client import Registers
from edgekit.errors import UsageError

# By port: the program, its machine, and the serial ports before the board's own.
_MACHINES = {
    "mps2": ("qemu-system-arm", ["-M", "{name}"], 0),
    "stm32f4": ("qemu-system-arm", ["-M", "netduinoplus2"], 1),  # its USART2 is the second
    "qemu_riscv32": ("qemu-system-riscv32", ["-M", "virt", "-bios", "none"], 0),
    "qemu_aarch64": ("qemu-system-aarch64",
                     ["-M", "virt", "-cpu", "cortex-a72", "-nic", "none"], 0),
}
_ARM = Registers(pc=15, sp=13, lr=14, argument=0, width=4)
_REGISTERS = {"qemu-system-arm": _ARM,
              "qemu-system-riscv32": Registers(pc=32, sp=2, lr=1, argument=10, width=4),
              "qemu-system-aarch64": Registers(pc=32, sp=31, lr=30, argument=0, width=8)}


def program(board: Board) -> str:
    """The name of the QEMU program for a board; UsageError where QEMU has no such machine."""
    if "qemu" not in board.emulators or board.port not in _MACHINES:
        raise UsageError(f"QEMU has no machine for {board.title}", "use --engine unicorn")
    return _MACHINES[board.port][0]


def path(name: str) -> str:
    """Where that program is; NotThere names it."""
    return tools.require(name, "apt-get install qemu-system-arm qemu-system-misc")


def registers(board: Board) -> Registers:
    return _REGISTERS[program(board)]


def command(board: Board, elf: Path, serial: Path, plugin: Path, shared: Path) -> list[str]:
    """QEMU halted at reset, its GDB stub on standard input and output."""
    name = program(board)
    _, machine, before = _MACHINES[board.port]
    words = [word.format(name=board.name.replace("_", "-")) for word in machine]
    return [path(name), *words,
            *["-serial", "null"] * before, "-serial", f"file:{_escaped(serial)}",
            "-display", "none", "-monitor", "none", "-S", "-gdb", "stdio",
            "-semihosting-config", "enable=on,target=native",
            "-plugin", f"{_escaped(plugin)},shared={_escaped(shared)}", "-kernel", str(elf)]


def serial_command(board: Board, elf: Path) -> list[str]:
    """QEMU running from reset, its board's UART on a pty of its own, which it names when it starts."""
    name = program(board)
    _, machine, before = _MACHINES[board.port]
    words = [word.format(name=board.name.replace("_", "-")) for word in machine]
    return [path(name), *words, *["-serial", "null"] * before, "-serial", "pty", "-display", "none",
            "-monitor", "none", "-semihosting-config", "enable=on,target=native", "-kernel", str(elf)]


def _escaped(path: Path) -> str:
    """A path inside an option's list, where a comma is doubled."""
    return str(path).replace(",", ",,")
