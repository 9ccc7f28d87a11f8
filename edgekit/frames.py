"""Frames of the link, and the text between them: bytes to frames and back.

On the wire a frame is `0x00 COBS(type, sequence, payload, CRC-32 little-endian) 0x00`. COBS
(Cheshire and Baker, 1999) takes the zeros out of it, so a zero byte is always a boundary and a
receiver that lost its place finds it again. What else lies between two zeros is the firmware's
log. templates/app/link.h lists the types.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum

PROTOCOL = 1


class Type(IntEnum):
    """Requests; a reply has REPLY added. None of them is a character of text."""

    HELLO = 1
    LOAD = 2
    INFER = 3
    LAYER = 4
    READ = 5
    BYE = 6
    TIMES = 7
    REPLY = 0x10
    ERROR = 0x7F


class Refusal(IntEnum):
    """Codes of ERROR frames."""

    UNKNOWN = 1
    RANGE = 2
    INPUTS = 3
    FAILED = 4
    NO_LAYERS = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose CRC is right."""

    type: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """What the firmware printed."""

    text: str


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that are neither a frame nor text."""

    data: bytes


def encode(frame: Frame) -> bytes:
    """The frame as it goes over the wire, both zeros included."""
    body = bytes((frame.type, frame.sequence)) + frame.payload
    return b"\0" + cobs_encode(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0"


def cobs_encode(data: bytes) -> bytes:
    """`data` without zero bytes; one byte longer for each 254."""
    out = bytearray()
    for part in data.split(b"\0"):
        while len(part) >= 254:
            out += b"\xff" + part[:254]
            part = part[254:]
        out += bytes((len(part) + 1,)) + part
    return bytes(out)


def cobs_decode(data: bytes) -> bytes | None:
    """The bytes that `cobs_encode` was given, or None where `data` is not its result."""
    out, at = bytearray(), 0
    while at < len(data):
        code = data[at]
        if code == 0 or at + code > len(data):
            return None
        out += data[at + 1:at + code]
        at += code
        if code != 0xFF and at < len(data):
            out.append(0)
    return bytes(out)


def decode(chunk: bytes) -> Frame | None:
    """The frame in the bytes between two zeros, None where they are none."""
    body = cobs_decode(chunk)
    if body is None or len(body) < 6 or zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
        return None
    return Frame(body[0], body[1], body[2:-4])


class Decoder:
    """Bytes as they arrive -> frames, lines of text, and noise, in their order."""

    # Longer than any frame: what a line at the wrong speed gives must not be kept for ever.
    LIMIT = 16384

    def __init__(self):
        self._chunk = bytearray()

    def feed(self, data: bytes) -> list[Frame | Text | Noise]:
        found: list[Frame | Text | Noise] = []
        for byte in data:
            if byte == 0:
                found += self._end()
                continue
            self._chunk.append(byte)
            # The first byte of a frame is a length, which may look like a line's end.
            line = byte == 0x0A and len(self._chunk) > 1 and _is_text(self._chunk)
            if line or len(self._chunk) > self.LIMIT:
                found += self.flush()
        return found

    def flush(self) -> list[Text | Noise]:
        """What has arrived of a line that is not complete yet."""
        chunk, self._chunk = bytes(self._chunk), bytearray()
        if not chunk:
            return []
        return [Text(chunk.decode(errors="replace")) if _is_text(chunk) else Noise(chunk)]

    @property
    def holds_text(self) -> bool:
        return bool(self._chunk) and _is_text(self._chunk)

    def _end(self) -> list[Frame | Text | Noise]:
        frame = decode(bytes(self._chunk))
        if frame is None:
            return self.flush()
        self._chunk.clear()
        return [frame]


def _is_text(data: bytes) -> bool:
    """UTF-8 without control characters but tab, line ends and escape.

    The second byte of every frame is its type, which is none of these.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return not any(ord(c) < 0x20 and c not in "\t\n\r\x1b" or c == "\x7f" for c in text)
