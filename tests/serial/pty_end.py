"""The far end of a serial port, on a pty: what fakes and wires are made of."""

from __future__ import annotations

import os
import select
import threading
import tty


class Gone(Exception):
    """The test is over, or the cable was unplugged."""


class PtyEnd:
    """`path` is what a host opens. `_run` is a thread's, started by `with` at the latest."""

    def __init__(self):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop_read, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        if not self._thread.is_alive():
            self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        os.write(self._stop, b"x")
        self._thread.join(5)
        for fd in (self._master, self._slave, self._stop, self._stop_read):
            if fd >= 0:
                os.close(fd)

    def _run(self) -> None:
        raise NotImplementedError

    def _arrived(self, most: int) -> bytes:
        """At least one byte of the host's; Gone at the end."""
        ready, _, _ = select.select([self._master, self._stop_read], [], [])
        if self._stop_read in ready:
            raise Gone
        return os.read(self._master, most)

    def cut(self) -> None:
        """Unplug: the host's port is gone."""
        master, slave, self._master, self._slave = self._master, self._slave, -1, -1
        os.close(slave)
        os.close(master)
