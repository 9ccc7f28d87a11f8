"""What arrives on a port, as lines: the firmware's log, and frames of the link decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator

from edgekit import greeting
from edgekit.documents import document
from edgekit.errors import EdgekitError
from edgekit.frames import Decoder, Frame, Noise, Refusal, Text, Type
from edgekit.serial_port import open_port

# Seconds after which a line without an end, as a prompt, is shown all the same.
_IDLE_S = 0.3


def lines(url: str, baud: int, seconds: float | None = None) -> Iterator[str]:
    """Each line or frame when it is complete, for `seconds` or for ever.

    NotThere (exit 6) where the port is not there, EdgekitError where it goes away.
    """
    port = open_port(url, baud)
    decoder = Decoder()
    end = None if seconds is None else time.monotonic() + seconds
    heard = time.monotonic()
    try:
        while end is None or time.monotonic() < end:
            data = port.read()
            items = decoder.feed(data)
            if data:
                heard = time.monotonic()
            elif time.monotonic() - heard > _IDLE_S:
                items += decoder.flush()
            for item in items:
                yield from describe(item)
        for item in decoder.flush():
            yield from describe(item)
    finally:
        port.close()


def describe(item: Frame | Text | Noise) -> Iterator[str]:
    """An item as the lines a user reads."""
    if isinstance(item, Text):
        yield from (line for line in item.text.replace("\r", "").split("\n") if line)
    elif isinstance(item, Noise):
        shown = item.data[:16].hex(" ") + (" ..." if len(item.data) > 16 else "")
        yield f"[{len(item.data)} bytes of noise: {shown}]"
    else:
        yield f"[{_frame(item)}]"


def _frame(frame: Frame) -> str:
    answer = frame.type & Type.REPLY and frame.type != Type.ERROR
    name = _name(frame.type - Type.REPLY if answer else frame.type)
    head = f"{name}{' reply' if answer else ''} {frame.sequence}"
    if frame.type == Type.ERROR and len(frame.payload) == 2:
        code, asked = frame.payload
        known = {refusal.value: refusal.name for refusal in Refusal}
        return f"{head}: {_name(asked)} refused, {known.get(code, code)}"
    if frame.type == Type.HELLO + Type.REPLY:
        return f"{head}: {_hello(frame.payload)}"
    return f"{head}: {len(frame.payload)} bytes" if frame.payload else head


def _name(type: int) -> str:
    known = {entry.value: entry.name for entry in Type}
    return known.get(type, f"type {type}")


def _hello(payload: bytes) -> str:
    try:
        said = greeting.parse(payload)
    except EdgekitError as error:
        return error.message
    return (f"board {said.board}, model {said.model_sha256[:16]}, {sum(said.input_bytes)} bytes in, "
            f"{sum(said.output_bytes)} out, {said.op_count} operators")


def monitor_document(port: str, seen: list[str]) -> dict:
    """`edgekit.monitor`: what was shown."""
    return document("monitor", port=port, lines=seen)
