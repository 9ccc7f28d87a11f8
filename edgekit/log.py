"""What long work tells about itself: steps and progress, to whoever listens.

Modules call `step` and `progress`; `cli.py` decides what a user sees of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, dict], None]
_listeners: list[Listener] = []
_label: ContextVar[str] = ContextVar("label", default="")


def listen(listener: Listener) -> Callable[[], None]:
    """Call `listener(event, details)` for every event; returns the function that stops it."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def _tell(event: str, **details) -> None:
    for listener in tuple(_listeners):
        listener(event, details)


@contextmanager
def labelled(name: str) -> Iterator[None]:
    """Put a name before what this thread tells; bars of several would overwrite each other."""
    before = _label.set(name)
    try:
        yield
    finally:
        _label.reset(before)


def _named(text: str) -> str:
    return f"{_label.get()}: {text}" if _label.get() else text


def note(text: str) -> None:
    """One line worth telling."""
    _tell("note", text=_named(text))


def step(text: str) -> None:
    """A step of the pipeline that a user wants to see, with its seconds."""
    _tell("step", text=_named(text))


def progress(what: str, done: int, total: int, detail: str = "") -> None:
    """`done` of `total` units of `what`; the last call has done == total."""
    if _label.get():
        return
    _tell("progress", what=what, done=done, total=total, detail=detail)
