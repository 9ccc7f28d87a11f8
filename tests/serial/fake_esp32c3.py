"""A fake ESP32-C3 on a pty: its ROM's serial protocol and, when a stub has been uploaded, the stub's.

Espressif's "Serial Protocol" pages: SLIP packets of (direction, command, size, value or checksum)
and data; a reply ends in its status, four bytes from the ROM and two from the stub. Whatever is
uploaded is not run: it is taken for the stub, whose words the fake then speaks. Flash cells only
go from 1 to 0; flash is erased where a write begins.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib

from pty_end import Gone, PtyEnd

C3, S3 = 5, 9
_SPI_CMD, _SPI_W0 = 0x6000_2000, 0x6000_2058
_FLASH_ID = 0x1640EF  # 4 MiB
_SECTOR = 4096
_SECURE_DOWNLOAD = 1 << 2
_FAILED, _BAD_CHECKSUM, _UNKNOWN = 0x06, 0x07, 0x05


class FakeEsp32C3(PtyEnd):
    """`stuck` is a cell that reads 0; `silent_after` and `unplug_after` count packets."""

    def __init__(self, *, chip_id: int = C3, secure_download: bool = False, stuck: int | None = None,
                 silent_after: int | None = None, unplug_after: int | None = None,
                 refuse_data: int | None = None):
        super().__init__()
        self.flash = bytearray(b"\xff" * (4 << 20))
        self._chip_id, self._secure, self._stuck = chip_id, secure_download, stuck
        self._silent_after, self._unplug_after = silent_after, unplug_after
        self._refuse_data = refuse_data
        self.packets = self.data_packets = self.erased = 0
        self.stub = False
        self._registers: dict[int, int] = {}
        self._writing: tuple[int, zlib._Decompress | None] = (0, None)

    # -------------------------------------------------------------- packets

    def _run(self) -> None:
        packet = None
        try:
            while True:
                for byte in self._arrived(4096):
                    if byte != 0xC0:
                        if packet is not None:
                            packet.append(byte)
                    elif packet:
                        self._take(bytes(packet).replace(b"\xdb\xdc", b"\xc0")
                                   .replace(b"\xdb\xdd", b"\xdb"))
                        packet = None
                    else:
                        packet = bytearray()
        except (Gone, OSError):
            return

    def _take(self, packet: bytes) -> None:
        self.packets += 1
        if self._unplug_after is not None and self.packets > self._unplug_after:
            self.cut()
            raise Gone
        if self._silent_after is not None and self.packets > self._silent_after:
            return
        if len(packet) < 8 or packet[0] != 0:
            return
        _, command, size, check = struct.unpack_from("<BBHI", packet)
        data = packet[8:]
        serve = _SERVED.get(command)
        if len(data) != size:
            self._reply(command, status=_FAILED)
        elif serve is None or self._secure and command in (0x0A, 0x09, 0x05, 0x13):
            self._reply(command, status=_UNKNOWN)
        elif command in _WITH_CHECKSUM and _checksum(data[16:]) != check:
            self._reply(command, status=_BAD_CHECKSUM)
        else:
            serve(self, command, data)

    def _reply(self, command: int, data: bytes = b"", value: int = 0, status: int = 0) -> None:
        body = data + bytes((1 if status else 0, status)) + (b"" if self.stub else bytes(2))
        self._send(struct.pack("<BBHI", 1, command, len(body), value) + body)

    def _send(self, packet: bytes) -> None:
        escaped = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        os.write(self._master, b"\xc0" + escaped + b"\xc0")

    # -------------------------------------------------------------- commands

    def _sync(self, command: int, data: bytes) -> None:
        for _ in range(8):  # the ROM's value is not zero, the stub's is
            self._reply(command, value=0 if self.stub else 0x2012_0707)

    def _security(self, command: int, data: bytes) -> None:
        flags = _SECURE_DOWNLOAD if self._secure else 0
        self._reply(command, struct.pack("<IB7BII", flags, 0, *bytes(7), self._chip_id, 0))

    def _read_register(self, command: int, data: bytes) -> None:
        address = struct.unpack("<I", data)[0]
        value = _FLASH_ID if address == _SPI_W0 else self._registers.get(address, 0)
        self._reply(command, value=value)

    def _write_register(self, command: int, data: bytes) -> None:
        address, value = struct.unpack_from("<II", data)
        if address != _SPI_CMD:  # a command of the SPI controller is done at once
            self._registers[address] = value
        self._reply(command)

    def _accept(self, command: int, data: bytes) -> None:
        self._reply(command)

    def _run_uploaded(self, command: int, data: bytes) -> None:
        self._reply(command)
        if struct.unpack_from("<I", data)[0] == 0:  # an entry point is given
            self.stub = True
            self._send(b"OHAI")

    def _begin(self, command: int, data: bytes) -> None:
        size, _, _, offset = struct.unpack_from("<IIII", data)
        if offset + size > len(self.flash):
            self._reply(command, status=_FAILED)
            return
        first, last = offset // _SECTOR * _SECTOR, -(-(offset + size) // _SECTOR) * _SECTOR
        self.flash[first:last] = b"\xff" * (last - first)
        self.erased += last - first
        self._writing = (offset, zlib.decompressobj() if command == 0x10 else None)
        self._reply(command)

    def _data(self, command: int, data: bytes) -> None:
        self.data_packets += 1
        if self._refuse_data == self.data_packets:
            self._reply(command, status=_FAILED)
            return
        (size,), (at, decompress) = struct.unpack_from("<I", data), self._writing
        block = data[16:16 + size]
        block = decompress.decompress(block) if decompress else block
        for i, byte in enumerate(block):
            self.flash[at + i] &= byte
        if self._stuck is not None:
            self.flash[self._stuck] = 0
        self._writing = (at + len(block), decompress)
        self._reply(command)

    def _md5(self, command: int, data: bytes) -> None:
        address, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self.flash[address:address + size])
        self._reply(command, digest.digest() if self.stub else digest.hexdigest().encode())


def _checksum(data: bytes) -> int:
    value = 0xEF
    for byte in data:
        value ^= byte
    return value


_WITH_CHECKSUM = (0x03, 0x07, 0x11)
_SERVED = {
    0x02: FakeEsp32C3._begin, 0x03: FakeEsp32C3._data, 0x04: FakeEsp32C3._accept,
    0x05: FakeEsp32C3._accept, 0x06: FakeEsp32C3._run_uploaded, 0x07: FakeEsp32C3._accept,
    0x08: FakeEsp32C3._sync, 0x09: FakeEsp32C3._write_register, 0x0A: FakeEsp32C3._read_register,
    0x0B: FakeEsp32C3._accept, 0x0D: FakeEsp32C3._accept, 0x0F: FakeEsp32C3._accept,
    0x10: FakeEsp32C3._begin, 0x11: FakeEsp32C3._data, 0x12: FakeEsp32C3._accept,
    0x13: FakeEsp32C3._md5, 0x14: FakeEsp32C3._security,
}
