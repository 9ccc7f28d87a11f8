"""A Link to firmware behind a serial port, by the frames of `frames.py`.

Every request is repeated until its reply comes, a bounded number of times; every result carries
a CRC-32 that is checked against what was read. A damaged byte costs time, never a wrong number.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from edgekit import log
from edgekit.errors import BadData, EdgekitError
from edgekit.exchange import Exchange, Refused
from edgekit.frames import PROTOCOL, Refusal, Type
from edgekit.greeting import Greeting, greet
from edgekit.link import Hello, Inference
from edgekit.serial_port import Port, open_port

# Bytes of data in one frame: of longer ones too many are damaged on a bad line.
CHUNK = 256
# Times that inputs are loaded again because the device has others.
RELOADS = 5
_OUTPUT, _OPERATOR = 0, 1


class SerialLink:
    """A Link, and a ChecksumLink, over an open port; `where` is shown to the user.

    `measures` is False where the firmware's clock is an emulator's: its numbers would be none.
    """

    def __init__(self, port: Port, where: str, measures: bool = True):
        self._exchange = Exchange(port)
        self._where, self._measures = where, measures
        self._inputs: tuple[bytes, ...] = ()
        self._crc = 0
        self.greeting: Greeting = greet(self._exchange)
        if self.greeting.protocol != PROTOCOL:
            raise EdgekitError(f"the firmware on {port.name} speaks protocol "
                               f"{self.greeting.protocol}, this edgekit {PROTOCOL}",
                               "generate the project again, build and flash it")

    def hello(self) -> Hello:
        said = self.greeting
        return Hello(self._where, said.model_sha256, said.input_bytes, said.output_bytes)

    def load(self, inputs: tuple[bytes, ...]) -> None:
        """Write one sample into the firmware's input tensors."""
        wanted = self.greeting.input_bytes
        if tuple(map(len, inputs)) != wanted:
            raise BadData(f"inputs of {tuple(map(len, inputs))} bytes; the firmware takes {wanted}")
        self._inputs = tuple(map(bytes, inputs))
        self._crc = zlib.crc32(b"".join(self._inputs))
        self._load()

    def infer(self, *, count: bool = False) -> Inference:
        """Run the sample, timed by the device, its stack painted; `count` times each operator too."""
        def run() -> tuple[int, int, tuple[bytes, ...]] | None:
            reply = self._run(Type.INFER, b"", 12)
            outputs = tuple(self._read(_OUTPUT, i, size)
                            for i, size in enumerate(self.greeting.output_bytes))
            right = zlib.crc32(b"".join(outputs)) == _number(reply[4:8])
            return (_number(reply[:4]), _number(reply[8:]), outputs) if right else None

        ticks, stack, outputs = self._until_right(run, "the outputs")
        if not self._measures:
            return Inference(outputs)
        if not ticks:  # a counter that stands still
            return Inference(outputs, peak_stack=stack or None)
        ops = self._times() if count and self.greeting.has_layers else ()
        return Inference(
            outputs, peak_stack=stack or None, cycles=self._cycles(ticks),
            latency_s=self._seconds(ticks), op_cycles=_known(map(self._cycles, ops)),
            op_latency_s=_known(map(self._seconds, ops)))

    def layers(self) -> tuple[bytes | None, ...]:
        """Every operator's output, fetched byte by byte."""
        return self.layers_like([None] * self.greeting.op_count)

    def layers_like(self, expected: Sequence[bytes | None]) -> tuple[bytes | None, ...]:
        """As `layers`, but only those are fetched whose CRC-32 is not that of the expected bytes."""
        if not self.greeting.has_layers:
            return tuple(None for _ in expected)
        found = []
        for op, wanted in enumerate(expected):
            found.append(self._until_right(lambda op=op, wanted=wanted: self._layer(op, wanted),
                                           f"operator {op}"))
            log.progress("operators", op + 1, len(expected))
        return tuple(found)

    def bye(self) -> None:
        """The application has its model back; an emulated one ends."""
        try:
            self._exchange.ask(Type.BYE, b"", seconds=0.3, tries=3)
        except EdgekitError as unheard:  # everything asked for has been answered before
            log.note(f"{unheard.message}; after two seconds of silence the application goes on")

    def _times(self) -> tuple[int, ...]:
        """Ticks of each operator, one after the other in one inference."""
        reply = self._run(Type.TIMES, b"", 4 * self.greeting.op_count)
        return tuple(_number(reply[at:at + 4]) for at in range(0, len(reply), 4))

    def _layer(self, op: int, wanted: bytes | None) -> bytes | None:
        reply = self._run(Type.LAYER, op.to_bytes(2, "little"), 12)
        size, crc = _number(reply[4:8]), _number(reply[8:12])
        if wanted is not None and (len(wanted), zlib.crc32(wanted)) == (size, crc):
            return wanted
        data = self._read(_OPERATOR, op, size)
        return data if zlib.crc32(data) == crc else None

    def _run(self, type: Type, head: bytes, size: int) -> bytes:
        """The reply to INFER, LAYER or TIMES; inputs that are not ours are loaded again."""
        for _ in range(RELOADS):
            try:
                return self._exchange.ask(type, head + self._crc.to_bytes(4, "little"), size=size,
                                          patient=True)
            except Refused as refused:
                if refused.code != Refusal.INPUTS:
                    raise
            self._load()
        raise EdgekitError(f"the firmware's input was overwritten {RELOADS} times before it ran",
                           "is an interrupt or a second task of the application using the model?")

    def _load(self) -> None:
        chunk = min(self.greeting.max_payload - 5, CHUNK)
        parts = []
        for index, data in enumerate(self._inputs):
            for offset in range(0, len(data), chunk):
                head = bytes((index,)) + offset.to_bytes(4, "little")
                parts.append(head + data[offset:offset + chunk])
        for part, reply in zip(parts, self._exchange.ask_all(Type.LOAD, parts, size=5), strict=True):
            if reply != part[:5]:
                raise EdgekitError("the firmware acknowledged another part than was sent")

    def _read(self, source: int, index: int, size: int) -> bytes:
        chunk = min(self.greeting.max_payload, CHUNK)
        parts = [bytes((source,)) + index.to_bytes(2, "little") + offset.to_bytes(4, "little")
                 + min(chunk, size - offset).to_bytes(2, "little")
                 for offset in range(0, size, chunk)]
        # One at a time: a device sends no faster for being asked twice, and may hold one byte.
        return b"".join(self._exchange.ask(Type.READ, part, size=_number(part[7:9]))
                        for part in parts)

    def _until_right(self, attempt, what: str):
        for _ in range(RELOADS):
            result = attempt()
            if result is not None:
                return result
        raise EdgekitError(f"the CRC of {what} was wrong {RELOADS} times",
                           "is an interrupt or a second task of the application using the model?")

    def _cycles(self, ticks: int) -> int | None:
        """None where the device counts something else, as nanoseconds or microseconds."""
        return ticks if self.greeting.counts_cycles else None

    def _seconds(self, ticks: int) -> float | None:
        rate = self.greeting.ticks_hz
        return ticks / rate if rate else None


def _known(values: Iterable) -> tuple:
    """The values, () where they are not known."""
    found = tuple(values)
    return () if None in found else found


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


@contextmanager
def open_serial(url: str, baud: int, where: str | None = None,
                measures: bool = True) -> Iterator[SerialLink]:
    """A Link to the firmware on a port; says BYE at the end where it still answers.

    NotThere (exit 6) where the port is not there; EdgekitError where nothing answers, or the
    answer is noise or text.
    """
    port = open_port(url, baud)
    try:
        link = SerialLink(port, where or f"serial:{url}", measures)
        yield link
        link.bye()
    finally:
        port.close()
