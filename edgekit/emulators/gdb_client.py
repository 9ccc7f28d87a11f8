"""A client of GDB's remote serial protocol, as far as an emulator's stub needs one.

GDB manual, appendix E: packets are $data#checksum; numbers and memory are in hexadecimal.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from edgekit.errors import EmulationFault
from edgekit.tools import Pipe

_CHUNK = 1024  # bytes of memory in one packet: QEMU's holds 4096 characters
_ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Registers:
    """Numbers of a target's registers, and their `width` in bytes."""

    pc: int
    sp: int
    lr: int
    argument: int
    width: int


class GdbClient:
    """Registers, memory, breakpoints and continue of a halted target."""

    def __init__(self, pipe: Pipe, registers: Registers):
        self._pipe, self._registers = pipe, registers
        self._pending = b""
        self._breakpoints: set[int] = set()
        # QEMU gives single registers only to those who have read which there are.
        self._ask("qXfer:features:read:target.xml:0,ffb")

    def register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self._ask(f"p{number:x}")), "little")

    def set_register(self, number: int, value: int) -> None:
        data = (value & (1 << 8 * self._registers.width) - 1).to_bytes(
            self._registers.width, "little")
        self._done(f"P{number:x}={data.hex()}")

    def read(self, address: int, size: int) -> bytes:
        """EmulationFault where there is no memory."""
        return b"".join(self._read(address + at, min(_CHUNK, size - at))
                        for at in range(0, size, _CHUNK))

    def _read(self, address: int, size: int) -> bytes:
        answer = self._ask(f"m{address:x},{size:x}")
        if answer.startswith("E"):
            raise EmulationFault(f"there is no memory at 0x{address:08x}")
        return bytes.fromhex(answer)

    def write(self, address: int, data: bytes) -> None:
        for at in range(0, len(data), _CHUNK):
            part = data[at:at + _CHUNK]
            self._done(f"M{address + at:x},{len(part):x}:{part.hex()}")

    def set_breakpoints(self, *addresses: int) -> None:
        """Stop before the instructions at these addresses, and at no others."""
        for address in sorted(self._breakpoints - set(addresses)):
            self._done(f"z0,{address:x},2")
        for address in sorted(set(addresses) - self._breakpoints):
            self._done(f"Z0,{address:x},2")
        self._breakpoints = set(addresses)

    def go(self, seconds: float) -> bool:
        """Continue until the target stops; False (and halted) where it did not in time."""
        self._send("c")
        if self._receive(seconds) is not None:
            return True
        self._pipe.write(b"\x03")
        if self._receive(_ANSWER_SECONDS) is None:
            raise EmulationFault("the emulator does not answer")
        return False

    def _done(self, command: str) -> None:
        answer = self._ask(command)
        if answer != "OK":
            raise EmulationFault(f"the emulator refused '{command[:24]}': {answer or 'unknown'}")

    def _ask(self, command: str) -> str:
        self._send(command)
        answer = self._receive(_ANSWER_SECONDS)
        if answer is None:
            raise EmulationFault("the emulator does not answer")
        return answer

    def _send(self, command: str) -> None:
        data = command.encode()
        self._pipe.write(b"$%s#%02x" % (data, sum(data) & 255))

    def _receive(self, seconds: float) -> str | None:
        """The next packet's data; None where none came. A target that ends is a fault."""
        end = time.monotonic() + seconds
        while True:
            begin, stop = self._pending.find(b"$"), self._pending.find(b"#")
            if 0 <= begin < stop and len(self._pending) >= stop + 3:
                data, self._pending = self._pending[begin + 1:stop], self._pending[stop + 3:]
                self._pipe.write(b"+")
                if data[:1] in b"WX" and len(data) == 3:
                    raise EmulationFault(f"the firmware ended with code {int(data[1:], 16)}")
                return data.decode()
            came = self._pipe.read(max(0.0, end - time.monotonic()))
            if came is None:
                return None
            if not came:
                raise EmulationFault("the emulator ended")
            self._pending += came
