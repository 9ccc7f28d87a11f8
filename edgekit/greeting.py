"""HELLO: who is behind a port, and why nobody is."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass

from edgekit.errors import EdgekitError
from edgekit.exchange import Exchange
from edgekit.frames import PROTOCOL, Type

# Opening a port resets many boards: they boot and test themselves before they listen.
HELLO_S = 6.0
_EVERY_S = 0.25
_HEAD = struct.Struct("<BBHHIBB")
_HAS_LAYERS, _COUNTS_CYCLES = 1, 2
_SHA256_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Greeting:
    """What firmware says of itself; sizes in bytes, `ticks_hz` 0 where it is not known.

    `counts_cycles` says that a tick is a cycle of the CPU.
    """

    protocol: int
    has_layers: bool
    counts_cycles: bool
    max_payload: int
    op_count: int
    ticks_hz: int
    input_bytes: tuple[int, ...]
    output_bytes: tuple[int, ...]
    model_sha256: str
    board: str


def parse(payload: bytes) -> Greeting:
    """The Greeting in a HELLO reply; EdgekitError where it is none."""
    try:
        protocol, flags, max_payload, ops, ticks, inputs, outputs = _HEAD.unpack_from(payload)
        if protocol != PROTOCOL:  # what follows may be anything
            return Greeting(protocol, False, False, 0, 0, 0, (), (), "", "")
        sizes = struct.unpack_from(f"<{inputs + outputs}I", payload, _HEAD.size)
        text = payload[_HEAD.size + 4 * len(sizes):].decode("ascii")
    except (struct.error, UnicodeDecodeError) as error:
        raise EdgekitError(f"the firmware's HELLO is not one of edgekit's: {error}",
                           "generate the project again, build and flash it") from error
    return Greeting(protocol, bool(flags & _HAS_LAYERS), bool(flags & _COUNTS_CYCLES), max_payload,
                    ops, ticks, sizes[:inputs], sizes[inputs:], text[:_SHA256_DIGITS],
                    text[_SHA256_DIGITS:])


def greet(exchange: Exchange, seconds: float | None = None) -> Greeting:
    """Ask until the firmware answers; EdgekitError says what was heard instead."""
    seconds = seconds or HELLO_S
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        exchange.wake()
        sequence = exchange.send(Type.HELLO, b"")
        asked = time.monotonic()
        while (left := asked + _EVERY_S - time.monotonic()) > 0:
            frame = exchange.hear(left)
            if frame and (frame.type, frame.sequence) == (Type.HELLO + Type.REPLY, sequence):
                return parse(frame.payload)
    raise _nobody(exchange, seconds)


def _nobody(exchange: Exchange, seconds: float) -> EdgekitError:
    port = exchange.port
    exchange.flush()
    lines = [line.strip() for line in "".join(exchange.text).splitlines() if line.strip()]
    if lines:
        return EdgekitError(f"the firmware on {port.name} prints, but does not answer; its last "
                            f"line: {lines[-1][:100]}", "is it built with EDGEKIT_LINK=ON?")
    if exchange.noise:
        return EdgekitError(f"{port.name} gives {exchange.noise:,} bytes that are neither frames "
                            f"nor text at {port.baud:,} baud", "give the firmware's speed with "
                            "--baud (BOARD_BAUD in board/board.h)")
    return EdgekitError(f"{port.name} is silent: no answer within {seconds:g} s at {port.baud:,} "
                        "baud", "is the firmware flashed, with EDGEKIT_LINK=ON, at this --baud? "
                        "edgekit monitor shows what arrives")
