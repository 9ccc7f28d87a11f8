"""A wire between a program and a pty: in order, slow, lossy, garbled, or cut.

The far end is a file descriptor pair (a program's stdin and stdout, or one socket); the near
end is `path`, which a host opens as its serial port.
"""

from __future__ import annotations

import os
import random
import select
from collections.abc import Callable

from pty_end import PtyEnd

from edgekit.frames import Decoder, Frame


class Wire(PtyEnd):
    """`error_rate` is the probability that a byte is lost, doubled or changed, seeded;
    `garble` changes every byte, as a wrong baud rate does."""

    def __init__(self, read_fd: int, write_fd: int, *, error_rate: float = 0.0, seed: int = 0,
                 garble: bool = False):
        super().__init__()
        self._read, self._write = read_fd, write_fd
        self.error_rate, self.garble = error_rate, garble
        self._random = random.Random(seed)
        self.errors = 0
        self.carried = 0
        self.cut_after: int | None = None
        self.mute = False
        self.answer: Callable[[Frame], bytes] | None = None
        self._decoder = Decoder()
        self._line, self._every = b"", None
        self._thread.start()

    def chatter(self, line: bytes, every: float) -> None:
        """The far end prints this line for ever."""
        self._line, self._every = line, every
        os.write(self._stop, b"c")

    def _run(self) -> None:
        while self._master >= 0:
            sources = [self._stop_read, self._master] + ([self._read] if self._read >= 0 else [])
            ready, _, _ = select.select(sources, [], [], self._every)
            if self._stop_read in ready:
                if os.read(self._stop_read, 1) == b"x":
                    return
                continue
            if not ready:
                os.write(self._master, b"".join(map(self._byte, self._line)))
            for fd in ready:
                if self._master < 0:
                    return
                try:
                    data = os.read(fd, 256)
                except OSError:
                    data = b""
                if not data and fd == self._read:
                    self._read = -1  # the program ended
                self._carry(data, self._write if fd == self._master else self._master)

    def _carry(self, data: bytes, to: int) -> None:
        self.carried += len(data)
        if self.answer and to == self._write:
            for frame in self._decoder.feed(data):
                os.write(self._master, self.answer(frame))
        if self.cut_after is not None and self.carried > self.cut_after:
            self.cut()
            return
        try:
            if not self.mute:
                os.write(to, b"".join(map(self._byte, data)))
        except OSError:
            pass  # nobody reads at that end any more

    def _byte(self, byte: int) -> bytes:
        if self.garble:
            return bytes((byte * 7 + 129 & 0xFF | 0x80,))
        if self._random.random() >= self.error_rate:
            return bytes((byte,))
        self.errors += 1
        kind = self._random.randrange(3)
        changed = byte ^ 1 << self._random.randrange(8)
        return (b"", bytes((byte, byte)), bytes((changed,)))[kind]
