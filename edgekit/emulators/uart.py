"""The registers of each port's UART that carry bytes: what is sent, what arrives, what is ready."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Registers:
    """Offsets from the UART's base; `status` maps a register's offset to its value by the number of
    bytes that wait. Transmitters are always ready."""

    sent: int
    received: int
    status: dict[int, Callable[[int], int]]


def _flag(offset: int, ready: int, waiting: int = 0, empty: int = 0) -> dict:
    """A register with bits that say: may send, has a byte, has none."""
    return {offset: lambda count: ready | (waiting if count else empty)}


_CMSDK = Registers(0x00, 0x00, _flag(0x04, 0, waiting=2))
_PL011 = Registers(0x00, 0x00, _flag(0x18, 0, empty=0x10))
_ESP = Registers(0x00, 0x00, {0x1C: lambda count: min(count, 127)})
# Data sheets as in each board.c of templates/port/.
REGISTERS = {
    "mps2": _CMSDK, "rp2040": _PL011, "rp2350": _PL011, "qemu_aarch64": _PL011,
    "esp32c3": _ESP, "esp32c6": _ESP,
    "stm32l4": Registers(0x28, 0x24, _flag(0x1C, 0x80, waiting=0x20)),
    "stm32f4": Registers(0x04, 0x04, _flag(0x00, 0x80, waiting=0x20)),
    "nrf52": Registers(0x51C, 0x518, _flag(0x108, 0, waiting=1) | _flag(0x11C, 1)),
    "qemu_riscv32": Registers(0x00, 0x00, _flag(0x05, 0x20, waiting=1)),
}


class Uart:
    """A UART at `base`: its host puts bytes into `waiting` and gets those sent by `write_out`."""

    def __init__(self, port: str, base: int, write_out: Callable[[int], None]):
        self._registers, self._base, self._write_out = REGISTERS[port], base, write_out
        self.waiting: deque[int] = deque()

    def read(self, address: int) -> int | None:
        """The register's value; None where it is none of the UART's."""
        offset = address - self._base
        if offset in self._registers.status:
            return self._registers.status[offset](len(self.waiting))
        if offset == self._registers.received:
            return self.waiting.popleft() if self.waiting else 0
        return None

    def write(self, address: int, value: int) -> bool:
        """Whether the register is the one that sends."""
        if address - self._base != self._registers.sent:
            return False
        self._write_out(value & 0xFF)
        return True
