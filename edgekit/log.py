"""What long work tells about itself: steps and progress, to whoever listens.

Modules call `step` and `progress`; `cli.py` decides what a user sees of it.
"""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str, dict], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> Callable[[], None]:
    """Call `listener(event, details)` for every event; returns the function that stops it."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def _tell(event: str, **details) -> None:
    for listener in tuple(_listeners):
        listener(event, details)


def note(text: str) -> None:
    """One line worth telling."""
    _tell("note", text=text)


def step(text: str) -> None:
    """A step of the pipeline that a user wants to see, with its seconds."""
    _tell("step", text=text)


def progress(what: str, done: int, total: int, detail: str = "") -> None:
    """`done` of `total` units of `what`; the last call has done == total."""
    _tell("progress", what=what, done=done, total=total, detail=detail)
