"""UF2: firmware as 512-byte blocks that a boot ROM's USB drive takes in any order.

Format: Microsoft's UF2 specification; family numbers: RP2040 and RP2350 datasheets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from edgekit.errors import EdgekitError, UsageError

# By port. RP2350: Arm, Secure. (A board whose flash holds a partition table also wants the block
# of erratum RP2350-E10; ours have none.)
FAMILIES = {"rp2040": 0xE48B_FF56, "rp2350": 0xE48B_FF59}

BLOCK, PAYLOAD = 512, 256
_HEADER = struct.Struct("<8I")
_START, _SECOND, _END = 0x0A32_4655, 0x9E5D_5157, 0x0AB1_6F30
_FAMILY_PRESENT = 0x2000


@dataclass(frozen=True, slots=True)
class Block:
    """One block: PAYLOAD bytes for an address, and its place among all."""

    address: int
    number: int
    count: int
    family: int
    data: bytes


def family(port: str) -> int:
    """The family number of a port; UsageError where its ROM takes no UF2."""
    if port not in FAMILIES:
        raise UsageError(f"the boot ROM of '{port}' takes no UF2", f"it is for {', '.join(FAMILIES)}")
    return FAMILIES[port]


def pack(segments: Iterable[tuple[int, bytes]], family_id: int) -> bytes:
    """A UF2 file of (address, bytes); gaps inside a 256-byte page are zero."""
    pages: dict[int, bytearray] = {}
    for address, data in segments:
        for offset, value in enumerate(data):
            page, place = divmod(address + offset, PAYLOAD)
            pages.setdefault(page, bytearray(PAYLOAD))[place] = value
    blocks = []
    for number, page in enumerate(sorted(pages)):
        header = _HEADER.pack(_START, _SECOND, _FAMILY_PRESENT, page * PAYLOAD, PAYLOAD, number,
                              len(pages), family_id)
        body = header + bytes(pages[page])
        blocks.append(body.ljust(BLOCK - 4, b"\0") + struct.pack("<I", _END))
    return b"".join(blocks)


def unpack(data: bytes) -> tuple[Block, ...]:
    """The blocks of a UF2 file; EdgekitError where one is damaged or missing."""
    if not data or len(data) % BLOCK:
        raise EdgekitError(f"a UF2 file is a multiple of {BLOCK} bytes, this has {len(data)}")
    found = []
    for at in range(0, len(data), BLOCK):
        start, second, flags, address, size, number, count, family_id = _HEADER.unpack_from(data, at)
        (end,) = struct.unpack_from("<I", data, at + BLOCK - 4)
        if (start, second, end) != (_START, _SECOND, _END) or not flags & _FAMILY_PRESENT:
            raise EdgekitError(f"UF2 block {at // BLOCK} is damaged")
        if number != at // BLOCK or count != len(data) // BLOCK or size != PAYLOAD:
            raise EdgekitError(f"UF2 block {at // BLOCK} says it is {number} of {count}")
        body = data[at + _HEADER.size:at + _HEADER.size + size]
        found.append(Block(address, number, count, family_id, body))
    return tuple(found)
