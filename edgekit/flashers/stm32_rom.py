"""The boot loader in an STM32's ROM, over a UART: the commands of ST's AN3155.

Every command is answered with ACK or NACK; its reads carry no checksum, so the caller reads
again what looks wrong. The ROM waits for ever for bytes that were lost: `resync` feeds it.
"""

from __future__ import annotations

import time

from edgekit.errors import EdgekitError
from edgekit.serial_port import Port

ACK, NACK, SYNC = 0x79, 0x1F, 0x7F
GET, GET_ID, READ, GO, WRITE, EXTENDED_ERASE = 0x00, 0x02, 0x11, 0x21, 0x31, 0x44
BLOCK = 256
# Seconds for an answer.
ANSWER_S = 1.0
QUIET_S = 0.05


class Lost(EdgekitError):
    """No answer, or one that is neither ACK nor NACK."""


class Refused(EdgekitError):
    """NACK."""


class Rom:
    """The commands, each once; Lost and Refused are the caller's to repeat."""

    def __init__(self, port: Port):
        self.port = port
        self._buffer = b""

    def sync(self) -> None:
        """Let the ROM measure the speed; it answers ACK, or NACK where it has done so before."""
        for _ in range(4):
            self._forget()
            self.port.write(bytes((SYNC,)))
            answer = self._read(1, ANSWER_S / 2)
            if answer and answer[0] in (ACK, NACK):
                self.resync()
                return
        raise Lost(f"no STM32 boot loader answers on {self.port.name}",
                   "set BOOT0 high, reset the board, and use the UART that AN2606 names")

    def resync(self) -> None:
        """Feed the ROM what it waits for, until it takes a whole command again."""
        for fill in (0, 1, 1, 5, 1, 64, 1, 260, 1, 1024, 1, 4096, 1):
            self.port.write(bytes((SYNC,)) * fill)
            time.sleep(QUIET_S + 11 * fill / self.port.baud)
            self._forget()
            try:
                self.commands()
                return
            except (Lost, Refused):
                continue
        raise Lost(f"the boot loader on {self.port.name} does not take commands any more",
                   "reset the board, with BOOT0 high, and try again")

    def commands(self) -> bytes:
        """GET: the boot loader's version and the commands it knows."""
        return self._list(GET)

    def product_id(self) -> int:
        return int.from_bytes(self._list(GET_ID), "big")

    def read(self, address: int, count: int) -> bytes:
        self._command(READ)
        self._send_address(address)
        self._send(bytes((count - 1, count - 1 ^ 0xFF)))
        self._answer(ANSWER_S)
        data = self._read(count, ANSWER_S + 11 * count / self.port.baud)
        if len(data) != count:
            raise Lost(f"{len(data)} of {count} bytes came back from 0x{address:08x}")
        return data

    def write(self, address: int, data: bytes) -> None:
        """At most BLOCK bytes, a multiple of four."""
        self._command(WRITE)
        self._send_address(address)
        body = bytes((len(data) - 1,)) + data
        self._send(body + bytes((_xor(body),)))
        self._answer(ANSWER_S + 11 * len(body) / self.port.baud)

    def erase(self, pages: range, seconds: float) -> None:
        """Pages or sectors by their numbers, within `seconds`."""
        self._command(EXTENDED_ERASE)
        body = (len(pages) - 1).to_bytes(2, "big") + b"".join(p.to_bytes(2, "big") for p in pages)
        self._send(body + bytes((_xor(body),)))
        self._answer(seconds)

    def go(self, address: int) -> None:
        self._command(GO)
        self._send_address(address)

    def _list(self, command: int) -> bytes:
        self._command(command)
        head = self._read(1, ANSWER_S)
        body = self._read(head[0] + 1, ANSWER_S) if head else b""
        if not head or len(body) != head[0] + 1:
            raise Lost("a list of the boot loader is not whole")
        self._answer(ANSWER_S)
        return body

    def _command(self, code: int) -> None:
        self._forget()
        self._send(bytes((code, code ^ 0xFF)))
        self._answer(ANSWER_S)

    def _send_address(self, address: int) -> None:
        data = address.to_bytes(4, "big")
        self._send(data + bytes((_xor(data),)))
        self._answer(ANSWER_S)

    def _send(self, data: bytes) -> None:
        self.port.write(data)

    def _answer(self, seconds: float) -> None:
        answer = self._read(1, seconds)
        if answer == bytes((NACK,)):
            raise Refused("the boot loader refused")
        if answer != bytes((ACK,)):
            raise Lost(f"the boot loader answered {answer.hex() or 'nothing'}")

    def _read(self, count: int, seconds: float) -> bytes:
        end = time.monotonic() + seconds
        while len(self._buffer) < count and time.monotonic() < end:
            self._buffer += self.port.read()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _forget(self) -> None:
        self.port.forget_input()
        self._buffer = b""


def _xor(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value
