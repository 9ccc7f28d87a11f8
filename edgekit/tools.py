"""Find and run external programs; the only module that starts processes."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from edgekit.errors import EdgekitError, NotThere


def search_path() -> str:
    """PATH with the folders of pip's `cmake`, `ninja` and `zig` behind the system's own."""
    folders = [os.environ.get("PATH", ""), str(Path(sys.executable).parent)]
    zig = importlib.util.find_spec("ziglang")
    if zig and zig.origin:
        folders.append(str(Path(zig.origin).parent))
    return os.pathsep.join(folders)


def find(program: str) -> str | None:
    """The path of a program on `search_path()`, or None."""
    return shutil.which(program, path=search_path())


def require(program: str, hint: str = "") -> str:
    """The path of a program; raises NotThere (exit 6) naming it."""
    path = find(program)
    if path is None:
        raise NotThere(f"{program} is not on PATH", hint or f"install {program}")
    return path


def watch(command: list[str], on_output: Callable[[str], None], *,
          timeout_s: float = 600) -> tuple[int, str]:
    """Run a program that shows progress: `on_output` gets its output as it comes, both streams.

    Gives the exit code and all of the output. NotThere where it is not there, EdgekitError after
    `timeout_s` without its end.
    """
    environment = {**os.environ, "PATH": search_path()}
    output: list[str] = []
    try:
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, bufsize=0,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            late = threading.Event()

            def end() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(timeout_s, end)
            timer.start()
            try:
                while data := process.stdout.read(4096):
                    output.append(data.decode(errors="replace"))
                    on_output(output[-1])
            finally:
                timer.cancel()
            code = process.wait()
    except FileNotFoundError as error:
        raise NotThere(f"{command[0]} is not there", f"install {command[0]}") from error
    if late.is_set():
        raise EdgekitError(f"{command[0]} did not end within {timeout_s:.0f} s",
                           "run it by hand to see what it waits for")
    return code, "".join(output)


def run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None,
        timeout_s: float = 600, input: bytes | None = None) -> subprocess.CompletedProcess:
    """Run a program to its end, output captured; the caller looks at `returncode`."""
    environment = {**os.environ, "PATH": search_path(), **(env or {})}
    try:
        return subprocess.run(command, cwd=cwd, env=environment, timeout=timeout_s, input=input,
                              capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NotThere(f"{command[0]} is not there", f"install {command[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise EdgekitError(f"{command[0]} did not end within {timeout_s:.0f} s",
                           "run it by hand to see what it waits for") from error


class Pipe:
    """A program that runs beside this one, its standard input and output as a pipe of bytes."""

    def __init__(self, command: list[str], errors: Path):
        """`errors` is the file that gets what the program says on standard error."""
        self._errors = errors.open("wb")
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
                env={**os.environ, "PATH": search_path()})
        except FileNotFoundError as error:
            self._errors.close()
            raise NotThere(f"{command[0]} is not there", f"install {command[0]}") from error
        self._came: queue.Queue[bytes] = queue.Queue()
        # A thread, because a pipe has no time limit on every system.
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        while data := os.read(self._process.stdout.fileno(), 1 << 16):
            self._came.put(data)
        self._came.put(b"")

    def write(self, data: bytes) -> None:
        """EdgekitError where the program has ended."""
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError as error:
            raise EdgekitError("the program at the other end of the pipe has ended") from error

    def read(self, timeout_s: float) -> bytes | None:
        """What came, b"" when there is no more, None when nothing came in time."""
        try:
            return self._came.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def exit_code(self, timeout_s: float) -> int | None:
        """None where it still runs after that time."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """End the program and take back what it holds."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # what was not read is of no use
            self._process.stdin.close()
        self._errors.close()
