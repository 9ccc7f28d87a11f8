"""Hold back what native libraries write to the standard streams, without losing it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def quiet() -> Iterator[Callable[[], str]]:
    """Silence file descriptors 1 and 2 inside the block; yields a function that gives the text.

    TensorFlow's C++ writes past `sys.stderr`, so only the descriptors themselves can be
    redirected. The text can be read until the block ends: an error handler inside the
    block can quote it. Not for threads that write at the same time.
    """
    with tempfile.TemporaryFile() as sink:
        saved = [_duplicate(1), _duplicate(2)]
        _flush()
        try:
            for descriptor, copy in zip((1, 2), saved, strict=True):
                if copy is not None:
                    os.dup2(sink.fileno(), descriptor)
            yield lambda: _read(sink)
        finally:
            _flush()
            for descriptor, copy in zip((1, 2), saved, strict=True):
                if copy is not None:
                    os.dup2(copy, descriptor)
                    os.close(copy)


def _duplicate(descriptor: int) -> int | None:
    try:
        return os.dup(descriptor)
    except OSError:  # a daemon or a windowed program has none
        return None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()


def _read(sink) -> str:
    _flush()
    sink.seek(0)
    text = sink.read().decode("utf-8", "replace")
    sink.seek(0, os.SEEK_END)
    return text
