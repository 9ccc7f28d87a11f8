"""Requests and their replies over a port that loses and damages bytes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

from edgekit import log
from edgekit.errors import EdgekitError
from edgekit.frames import Decoder, Frame, Noise, Refusal, Text, Type, encode
from edgekit.serial_port import Port

WINDOW = 4
# A request is given up after so many tries, or after so long a silence.
TRIES = 40
LOST_S = 10.0
# Seconds beyond the time on the wire: USB adapters keep bytes for up to 16 ms, twice.
LATENCY_S = 0.15
# An inference takes as long as it takes: the wait doubles from the first to the last try.
FIRST_RUN_S, LAST_RUN_S = 1.0, 32.0

_MEANING = {Refusal.UNKNOWN: "does not know the request", Refusal.RANGE: "has no such bytes",
            Refusal.INPUTS: "has other inputs", Refusal.FAILED: "cannot run its model",
            Refusal.NO_LAYERS: "cannot stop after an operator"}


class Refused(EdgekitError):
    """The firmware answered that it cannot; `code` is a Refusal."""

    def __init__(self, code: int, type: int):
        meaning = _MEANING.get(code, f"refuses with code {code}")
        super().__init__(f"the firmware {meaning} ({Type(type).name})",
                         "reset the board and try again")
        self.code = code


class Exchange:
    """The traffic on one port: sequence numbers, repetition, and what was heard besides."""

    def __init__(self, port: Port):
        self.port = port
        self.text: list[str] = []
        self.noise = 0
        self._decoder = Decoder()
        self._inbox: deque[Frame] = deque()
        self._sequence = 0

    def ask(self, type: Type, payload: bytes, *, size: int | None = None, patient: bool = False,
            seconds: float | None = None, tries: int = TRIES) -> bytes:
        """The reply's payload, of `size` bytes where that is known.

        `patient` waits for an inference. Refused where the firmware says it cannot.
        """
        if not patient:
            return self._ask([payload], type, size, seconds, tries)[0]
        wait, sequence = FIRST_RUN_S, None
        while wait <= LAST_RUN_S:
            # The same number each time: a reply to any of them is the answer.
            sequence = self.send(type, payload, sequence)
            reply = self._hear({sequence: type}, wait)
            if reply is not None:
                return _checked(reply[1], size)
            wait *= 2
        raise self._lost(type)

    def ask_all(self, type: Type, payloads: Sequence[bytes], size: int | None = None) -> list[bytes]:
        """Replies to many requests, some of them on their way at once."""
        return self._ask(payloads, type, size, None, TRIES)

    def _ask(self, payloads: Sequence[bytes], type: Type, size: int | None,
             seconds: float | None, tries: int) -> list[bytes]:
        replies: list[bytes | None] = [None] * len(payloads)
        todo = list(range(len(payloads)))
        pending: dict[int, int] = {}
        left = [tries] * len(payloads)
        heard_at = time.monotonic()
        while todo or pending:
            while todo and len(pending) < WINDOW:
                index = todo.pop(0)
                if left[index] == 0 or time.monotonic() > heard_at + LOST_S:
                    raise self._lost(type)
                left[index] -= 1
                if left[index] < tries - 1:
                    self.wake()
                pending[self.send(type, payloads[index])] = index
            wait = seconds or LATENCY_S + 2 * self._wire(sum(
                len(payloads[i]) + 16 + (size or 64) for i in pending.values()))
            heard = self._hear(dict.fromkeys(pending, type), wait)
            if heard is None:
                todo = sorted(pending.values()) + todo
                pending.clear()
            else:
                heard_at = time.monotonic()
                index = pending.pop(heard[0])
                replies[index] = _checked(heard[1], size)
        return replies

    def wake(self) -> None:
        """Zeros: firmware that sees one byte stays to listen."""
        self.port.write(b"\0\0\0\0")

    def hear(self, seconds: float) -> Frame | None:
        """The next frame, None where none comes in time; text and noise are kept."""
        end = time.monotonic() + seconds
        while not self._inbox and time.monotonic() < end:
            self._keep(self._decoder.feed(self.port.read()))
        return self._inbox.popleft() if self._inbox else None

    def _hear(self, pending: dict[int, Type], seconds: float) -> tuple[int, bytes] | None:
        """(sequence, payload) of the first reply to a pending request, None after the wait."""
        end = time.monotonic() + seconds
        while (frame := self.hear(end - time.monotonic())) is not None:
            wanted = pending.get(frame.sequence)
            if wanted is None:
                continue  # late: its request has been repeated
            if frame.type == wanted + Type.REPLY:
                return frame.sequence, frame.payload
            if frame.type == Type.ERROR and frame.payload[1:2] == bytes((wanted,)):
                raise Refused(frame.payload[0], wanted)
        return None

    def flush(self) -> None:
        """Take what is not complete for text or noise: nothing more is waited for."""
        self._keep(self._decoder.flush())

    def _keep(self, items: Iterable[Frame | Text | Noise]) -> None:
        for item in items:
            if isinstance(item, Frame):
                self._inbox.append(item)
            elif isinstance(item, Text):
                self.text.append(item.text)
                log.note(item.text.rstrip())
            elif isinstance(item, Noise):
                self.noise += len(item.data)

    def send(self, type: Type, payload: bytes, sequence: int | None = None) -> int:
        """Send a request and give its number; a new one where none is given."""
        if sequence is None:
            self._sequence = self._sequence % 255 + 1  # 0 is what firmware says unasked
            sequence = self._sequence
        self.port.write(encode(Frame(type, sequence, payload)))
        return sequence

    def _wire(self, count: int) -> float:
        """Seconds that `count` bytes take: ten bits each."""
        return 10 * count / self.port.baud

    def _lost(self, type: Type) -> EdgekitError:
        return EdgekitError(f"{self.port.name} does not answer any more ({type.name} had no reply)",
                            "was the board reset or unplugged? try again, at a lower --baud "
                            "where the line is bad")


def _checked(payload: bytes, size: int | None) -> bytes:
    if size is not None and len(payload) != size:
        raise EdgekitError(f"the firmware's reply has {len(payload)} bytes, {size} were expected",
                           "generate the project again, build and flash it")
    return payload
