"""FlatBuffers, as much as a .tflite needs: a bounds-checked reader and a builder.

Source: the FlatBuffers internals document (tables, vtables, vectors, strings; all offsets
little-endian). The reader trusts nothing and does a bounded amount of work.
"""

from __future__ import annotations

import struct

import numpy as np

from edgekit.errors import BadModel

# No model for a microcontroller has a tenth of it; a hostile one costs a second at most.
MAX_TABLES = 5_000
_HINT = "the file is damaged or not a .tflite; copy or convert it again"


_SCALARS = {letter: struct.Struct("<" + letter) for letter in "bBhHiIqQfd?"}


class Reader:
    """A buffer, and how much work reading it may still cost."""

    def __init__(self, data: bytes):
        self.data = data
        # Honest files are read once; a file whose tables share one huge vector is not.
        self.budget = 4 * len(data) + 65536

    def unpack(self, letter: str, position: int) -> int | float:
        number = _SCALARS[letter]
        if position < 0 or position + number.size > len(self.data):
            raise BadModel(f"the file points outside itself (byte {position} of {len(self.data)})",
                           _HINT)
        return number.unpack_from(self.data, position)[0]

    def spend(self, work: int) -> None:
        self.budget -= work
        if self.budget < 0:
            raise BadModel("the file refers to the same bytes over and over", _HINT)

    def follow(self, position: int) -> int:
        """The place an unsigned 32-bit offset at `position` points to."""
        return position + self.unpack("I", position)

    def root(self) -> Table:
        return Table(self, self.follow(0))


class Table:
    """A table at a position; fields by slot number."""

    def __init__(self, reader: Reader, position: int):
        self.reader, self.position = reader, position
        reader.spend(64)
        self.vtable = position - reader.unpack("i", position)
        self.vtable_size = reader.unpack("H", self.vtable)
        if self.vtable_size < 4 or self.vtable_size % 2:
            raise BadModel(f"a table at byte {position} has a broken vtable", _HINT)
        reader.unpack("B", self.vtable + self.vtable_size - 1)

    def _field(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self.vtable_size:
            return None
        offset = self.reader.unpack("H", self.vtable + entry)
        return self.position + offset if offset else None

    def scalar(self, slot: int, letter: str, default):
        position = self._field(slot)
        return default if position is None else self.reader.unpack(letter, position)

    def table(self, slot: int) -> Table | None:
        position = self._field(slot)
        return None if position is None else Table(self.reader, self.reader.follow(position))

    def _span(self, slot: int, itemsize: int) -> tuple[int, int] | None:
        """(first byte, count) of a vector."""
        position = self._field(slot)
        if position is None:
            return None
        start = self.reader.follow(position)
        count = self.reader.unpack("I", start)
        if start + 4 + count * itemsize > len(self.reader.data):
            raise BadModel(f"a vector at byte {start} runs past the end of the file", _HINT)
        self.reader.spend(count * itemsize)
        return start + 4, count

    def vector(self, slot: int, letter: str) -> tuple:
        span = self._span(slot, struct.calcsize("<" + letter))
        if span is None:
            return ()
        return struct.unpack_from(f"<{span[1]}{letter}", self.reader.data, span[0])

    def vector_span(self, slot: int, letter: str) -> tuple[int, int] | None:
        """(first byte, count) of a vector."""
        return self._span(slot, struct.calcsize("<" + letter))

    def has(self, slot: int) -> bool:
        return self._field(slot) is not None

    def span(self, slot: int) -> tuple[int, int] | None:
        """(first byte, length) of a byte vector."""
        return self._span(slot, 1)

    def bytes(self, slot: int) -> bytes:
        span = self._span(slot, 1)
        return b"" if span is None else self.reader.data[span[0]:span[0] + span[1]]

    def string(self, slot: int) -> str:
        return self.bytes(slot).decode("utf-8", "replace")

    def tables(self, slot: int, what: str) -> list[Table]:
        """The tables of a vector; `what` names them where there are more than MAX_TABLES."""
        span = self._span(slot, 4)
        if span is None:
            return []
        if span[1] > MAX_TABLES:
            raise BadModel(f"the file has {span[1]} {what}, at most {MAX_TABLES} are supported",
                           _HINT)
        return [Table(self.reader, self.reader.follow(span[0] + 4 * i)) for i in range(span[1])]


class Builder:
    """Writes objects in order, parents first, with forward offsets patched in afterwards.

    A table is {slot: value}; a value is ('scalar', letter, number), ('vector', letter, numbers),
    ('bytes', data, alignment), ('string', text), ('table', table) or ('tables', [table, ...]).
    """

    def __init__(self):
        self.out = bytearray()
        self._vtables: dict[bytes, int] = {}

    def finish(self, root: dict, identifier: bytes) -> bytes:
        self.out += b"\0\0\0\0" + identifier
        struct.pack_into("<I", self.out, 0, self._table(root))
        self._align(16)
        return bytes(self.out)

    def _align(self, size: int, ahead: int = 0) -> None:
        while (len(self.out) + ahead) % size:
            self.out.append(0)

    def _table(self, table: dict) -> int:
        slots = max(table, default=-1) + 1
        # Largest fields first keeps every field aligned without holes.
        sizes = {slot: struct.calcsize("<" + v[1]) if v[0] == "scalar" else 4
                 for slot, v in table.items()}
        offsets, place = {}, 4
        for slot in sorted(table, key=lambda s: (-sizes[s], s)):
            place += -place % sizes[slot]
            offsets[slot] = place
            place += sizes[slot]
        layout = struct.pack("<HH", 4 + 2 * slots, place) + b"".join(
            struct.pack("<H", offsets.get(slot, 0)) for slot in range(slots))
        # Tables of one layout share the first one's vtable.
        self._align(8, 0 if layout in self._vtables else len(layout))
        if layout not in self._vtables:
            self._vtables[layout] = len(self.out)
            self.out += layout
        vtable, start = self._vtables[layout], len(self.out)
        self.out += struct.pack("<i", start - vtable) + bytes(place - 4)
        for slot, value in table.items():
            if value[0] == "scalar":
                struct.pack_into("<" + value[1], self.out, start + offsets[slot], value[2])
        for slot, value in table.items():
            if value[0] != "scalar":
                self._patch(start + offsets[slot], self._object(value))
        return start

    def _patch(self, position: int, target: int) -> None:
        struct.pack_into("<I", self.out, position, target - position)

    def _object(self, value: tuple) -> int:
        kind = value[0]
        if kind == "table":
            return self._table(value[1])
        if kind == "tables":
            return self._tables(value[1])
        if kind == "string":
            data = value[1].encode() + b"\0"
            return self._bytes(data, len(data) - 1, 4)
        if kind == "bytes":
            return self._bytes(value[1], len(value[1]), value[2])
        data = np.asarray(value[2], np.dtype("<" + _NUMPY[value[1]])).tobytes()
        return self._bytes(data, len(value[2]), max(4, struct.calcsize("<" + value[1])))

    def _bytes(self, data: bytes, count: int, alignment: int) -> int:
        self._align(max(alignment, 4), 4)
        start = len(self.out)
        self.out += struct.pack("<I", count) + data
        return start

    def _tables(self, tables: list[dict]) -> int:
        self._align(4)
        start = len(self.out)
        self.out += struct.pack("<I", len(tables)) + bytes(4 * len(tables))
        for i, table in enumerate(tables):
            position = start + 4 + 4 * i
            self._patch(position, self._table(table))
        return start


_NUMPY = {"b": "i1", "B": "u1", "h": "i2", "H": "u2", "i": "i4", "I": "u4", "q": "i8", "Q": "u8",
          "f": "f4", "d": "f8", "?": "?"}
