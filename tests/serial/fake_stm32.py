"""A fake STM32 boot loader on a pty, as AN3155 describes it: flash cells only go from 1 to 0.

It waits for ever for what it expects, as the ROM does. One fault can be injected: the n-th byte
of a direction lost or changed, the n-th operation refused, silence or an unplugged cable there.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from pty_end import Gone, PtyEnd

ACK, NACK = b"\x79", b"\x1f"
ORIGIN, PAGE = 0x0800_0000, 4096


@dataclass(frozen=True)
class Fault:
    """`kind` in: drop, flip, refuse, silence, unplug; `at` counts bytes, or operations for refuse;
    `direction` is host (bytes the host sends) or chip."""

    kind: str
    at: int
    direction: str = "host"
    bit: int = 0


class FakeStm32(PtyEnd):
    def __init__(self, *, product_id: int = 0x470, pages: int = 16, protected: bool = False,
                 fault: Fault | None = None, used: bytes = b""):
        super().__init__()
        self.flash = bytearray(b"\xff" * pages * PAGE)
        self.flash[:len(used)] = used
        self._id, self._protected, self._fault = product_id, protected, fault
        self._counts = {"host": 0, "chip": 0}
        self.operations = self.erases = 0
        self._started_at: int | None = None
        self._started = threading.Event()
        self._silent = False

    # -------------------------------------------------------------- the wire

    def _get(self) -> int:
        while True:
            byte = self._through(self._arrived(1), "host")
            if byte:
                return byte[0]

    def _take(self, count: int) -> bytes:
        return bytes(self._get() for _ in range(count))

    def _put(self, data: bytes) -> None:
        out = b"".join(self._through(bytes((byte,)), "chip") for byte in data)
        if out:
            os.write(self._master, out)

    def _through(self, byte: bytes, direction: str) -> bytes:
        at, self._counts[direction] = self._counts[direction], self._counts[direction] + 1
        fault = self._fault
        if fault and fault.kind != "refuse" and (fault.direction, fault.at) == (direction, at):
            if fault.kind == "flip":
                return bytes((byte[0] ^ 1 << fault.bit,))
            if fault.kind == "unplug":
                self.cut()
                raise Gone
            self._silent = fault.kind == "silence"
            return b""
        return b"" if self._silent else byte

    def _may(self) -> bool:
        """Whether the next operation is served."""
        self.operations += 1
        return not (self._fault and self._fault.kind == "refuse"
                    and self._fault.at == self.operations - 1)

    # -------------------------------------------------------------- the ROM

    def _run(self) -> None:
        try:
            while self._get() != 0x7F:
                pass
            self._put(ACK)
            while True:
                self._command()
        except Gone:
            return

    def _command(self) -> None:
        code, check = self._take(2)
        serve = {0x00: self._commands, 0x02: self._product, 0x11: self._read, 0x21: self._go,
                 0x31: self._write, 0x44: self._erase}.get(code)
        if code ^ check != 0xFF or serve is None or not self._may():
            self._put(NACK)
        elif self._protected and code in (0x11, 0x21, 0x31, 0x44):
            self._put(NACK)
        else:
            serve()

    def _commands(self) -> None:
        codes = bytes((0x31, 0x00, 0x02, 0x11, 0x21, 0x31, 0x44))
        self._put(ACK + bytes((len(codes) - 1,)) + codes + ACK)

    def _product(self) -> None:
        self._put(ACK + b"\x01" + self._id.to_bytes(2, "big") + ACK)

    def _address(self, room: int) -> int | None:
        data = self._take(4)
        address = int.from_bytes(data, "big") - ORIGIN
        if _xor(data) != self._get() or not 0 <= address <= len(self.flash) - room:
            self._put(NACK)
            return None
        self._put(ACK)
        return address

    def _read(self) -> None:
        self._put(ACK)
        address = self._address(1)
        if address is None:
            return
        count, check = self._take(2)
        if count ^ check != 0xFF or address + count + 1 > len(self.flash):
            self._put(NACK)
            return
        self._put(ACK + bytes(self.flash[address:address + count + 1]))

    def _write(self) -> None:
        self._put(ACK)
        address = self._address(4)
        if address is None:
            return
        head = self._take(1)
        data = self._take(head[0] + 1)
        if _xor(head + data) != self._get() or len(data) % 4 or address + len(data) > len(self.flash):
            self._put(NACK)
            return
        for at, byte in enumerate(data):
            self.flash[address + at] &= byte
        self._put(ACK)

    def _erase(self) -> None:
        self._put(ACK)
        head = self._take(2)
        count = int.from_bytes(head, "big") + 1
        body = self._take(2 * count)
        pages = [int.from_bytes(body[i:i + 2], "big") for i in range(0, len(body), 2)]
        if _xor(head + body) != self._get() or any(p >= len(self.flash) // PAGE for p in pages):
            self._put(NACK)
            return
        self.erases += 1
        for page in pages:
            self.flash[page * PAGE:(page + 1) * PAGE] = b"\xff" * PAGE
        self._put(ACK)

    @property
    def started_at(self) -> int | None:
        """Where the chip jumped to; the host may ask before the chip has, so it waits a little."""
        self._started.wait(0.5)
        return self._started_at

    def _go(self) -> None:
        self._put(ACK)
        address = self._address(4)
        if address is not None:
            self._started_at = ORIGIN + address
            self._started.set()


def _xor(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value
