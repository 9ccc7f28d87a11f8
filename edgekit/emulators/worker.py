"""unicorn in a process of its own: its licence, its crashes and its endless loops stay there.

`open_in_worker` gives what `unicorn.open_machine` gives. One process serves all machines of this
one, since starting Python and importing unicorn takes longer than most emulations; where it ends
unexpectedly, the machine that was asked fails by name and the next one gets a new process.

Messages are pickles behind their length: (machine, method, arguments) there, (ok, result or
exception) back. Both ends are the same edgekit.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import struct
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edgekit import tools
from edgekit.board import Board
from edgekit.emulators.unicorn import RUN_SECONDS, open_machine
from edgekit.emulators.unicorn_port import open_port
from edgekit.errors import EdgekitError, EmulationFault
from edgekit.firmware import Firmware

_HEAD = struct.Struct("<Q")
_OPENED = {"open": open_machine, "open_port": open_port}
_METHODS = ("hello", "load", "infer", "layers", "cycles", "word")
_ATTRIBUTES = ("transcript", "peak_at", "boot_stack")
# A call runs the firmware a few times at most (counting learns the code first).
_CALL_SECONDS = 8 * RUN_SECONDS


class WorkerMachine:
    """A `Machine` in the worker process; the same methods, the same exceptions."""

    def __init__(self, worker: _Worker, number: int):
        self._worker, self._number = worker, number

    def __getattr__(self, name: str):
        if name in _METHODS:
            return lambda *args, **kwargs: self._worker.ask(self._number, name, args, kwargs)
        if name in _ATTRIBUTES:
            return self._worker.ask(self._number, "__getattribute__", (name,), {})
        raise AttributeError(name)


@contextmanager
def open_in_worker(firmware: Firmware, board: Board,
                   map: Mapping[str, object]) -> Iterator[WorkerMachine]:
    """`unicorn.open_machine` in the worker process; the same errors."""
    with _opened("open", firmware, board, map) as (worker, number):
        yield WorkerMachine(worker, number)


class WorkerPort:
    """What `serial_port.Port` is, of an emulated UART in the worker process."""

    # An emulator is slower than a wire: waits follow the speed.
    name, baud = "the emulated UART", 1_200

    def __init__(self, worker: _Worker, number: int):
        self._worker, self._number = worker, number

    def read(self) -> bytes:
        return self._worker.ask(self._number, "read", (), {})

    def write(self, data: bytes) -> None:
        self._worker.ask(self._number, "write", (data,), {})


@contextmanager
def open_port_in_worker(firmware: Firmware, board: Board) -> Iterator[WorkerPort]:
    """`unicorn_port.open_port` in the worker process; the same errors."""
    with _opened("open_port", firmware, board) as (worker, number):
        yield WorkerPort(worker, number)


@contextmanager
def _opened(what: str, *args) -> Iterator[tuple[_Worker, int]]:
    """The worker and the number of what it has opened, one of _OPENED; closed where it lives."""
    worker = _running()
    number = worker.ask(None, what, args, {})
    try:
        yield worker, number
    finally:
        if worker.alive:
            worker.ask(None, "close", (number,), {})


class _Worker:
    """The process and its pipe; what it says on standard error is kept for its last words."""

    def __init__(self):
        descriptor, name = tempfile.mkstemp(prefix="edgekit-", suffix=".log")
        os.close(descriptor)
        self._log = Path(name)
        self._came = b""
        # The caller's modules are found where they were found here, a checkout among them.
        code = f"import sys; sys.path[:] = {sys.path!r}; from edgekit.emulators import worker; " \
            "worker.serve()"
        self._pipe = tools.Pipe([sys.executable, "-c", code], self._log)
        self.alive = True

    def ask(self, machine: int | None, method: str, args: tuple, kwargs: dict):
        """The method's result; its exception is raised here."""
        try:
            question = pickle.dumps((machine, method, args, kwargs))
            self._pipe.write(_HEAD.pack(len(question)) + question)
            (size,) = _HEAD.unpack(self._take(_HEAD.size))
            ok, result = pickle.loads(self._take(size))
        except EmulationFault:
            raise
        except EdgekitError as error:
            self._lost("it has ended", error)
        except BaseException:  # half an answer is on the way: the next question must not get it
            self.end()
            raise
        if not ok:
            raise result
        return result

    def _take(self, size: int) -> bytes:
        while len(self._came) < size:
            data = self._pipe.read(_CALL_SECONDS)
            if not data:
                self._lost("it has ended" if data == b"" else
                           f"no answer within {_CALL_SECONDS:.0f} s")
            self._came += data
        taken, self._came = self._came[:size], self._came[size:]
        return taken

    def _lost(self, why: str, cause: Exception | None = None) -> None:
        words = self._log.read_text(errors="replace").strip().splitlines()
        self.end()
        raise EmulationFault(f"the emulator's process is lost: {why}"
                             + (f"; its last words: {words[-1]}" if words else ""),
                             "--engine qemu is another emulator") from cause

    def end(self) -> None:
        """Stop the process; calling it again does nothing."""
        if self.alive:
            self.alive = False
            self._pipe.close()
            self._log.unlink(missing_ok=True)


_worker: _Worker | None = None


def _running() -> _Worker:
    global _worker
    if _worker is None or not _worker.alive:
        if _worker is None:
            atexit.register(lambda: _worker.end())
        _worker = _Worker()
    return _worker


def serve() -> None:
    """The worker's life: answer until the pipe ends. Standard output is the pipe's alone."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    machines: dict[int, tuple] = {}
    while head := sys.stdin.buffer.read(_HEAD.size):
        question = pickle.loads(sys.stdin.buffer.read(_HEAD.unpack(head)[0]))
        try:
            answer = (True, _answer(machines, *question))
        except EdgekitError as error:  # a bug ends the process: its traceback is its last words
            answer = (False, error)
        data = pickle.dumps(answer)
        answers.write(_HEAD.pack(len(data)) + data)
        answers.flush()


def _answer(machines: dict, number: int | None, method: str, args: tuple, kwargs: dict):
    if method in _OPENED:
        stack = contextlib.ExitStack()
        machine = stack.enter_context(_OPENED[method](*args))
        number = max(machines, default=0) + 1
        machines[number] = (machine, stack)
        return number
    if method == "close":
        machines.pop(args[0])[1].close()
        return None
    return getattr(machines[number][0], method)(*args, **kwargs)
