"""qemu_plugin.c built for this host, and the file through which it is read."""

from __future__ import annotations

import mmap
import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from edgekit import tools
from edgekit.emulators.native import compiler
from edgekit.errors import BuildFailed, EmulationFault

SOURCE = Path(__file__).with_name("qemu_plugin.c")
CAPACITY = 1 << 16  # noted instructions of one inference
_HEADER = struct.Struct("<4Q")
_PAIR = struct.Struct("<2Q")
_NOTED = 24  # the offset of `noted`


def build(folder: Path, qemu: str) -> Path:
    """The plugin for the QEMU program `qemu`; NotThere without a host compiler."""
    library = folder / "count.so"
    flags = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    done = tools.run([*compiler(), "-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared",
                      "-fvisibility=hidden", f"-DPLUGIN_VERSION={_version(qemu)}", *flags,
                      str(SOURCE), "-o", str(library)])
    if done.returncode:
        raise BuildFailed("the host compiler refused QEMU's plugin: "
                          + " ".join(done.stderr.decode(errors="replace").split()[:30]),
                          "use --engine unicorn, or install gcc")
    return library


def _version(qemu: str) -> int:
    """QEMU 9.0 and newer refuse the first version of the interface."""
    said = tools.run([qemu, "--version"], timeout_s=60).stdout.decode(errors="replace")
    match = re.search(r"version (\d+)", said)
    return 2 if match and int(match[1]) >= 9 else 1


class Counter:
    """Instructions since the machine began, and the count before each noted instruction."""

    def __init__(self, path: Path, ranges: Sequence[tuple[int, int]]):
        data = _HEADER.pack(0, len(ranges), CAPACITY, 0) + b"".join(
            _PAIR.pack(*pair) for pair in ranges)
        self._events = len(data)
        path.write_bytes(data + bytes(_PAIR.size * CAPACITY))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def close(self) -> None:
        self._map.close()

    def forget(self) -> None:
        """Before a run: nothing is noted yet."""
        self._map[_NOTED:_NOTED + 8] = bytes(8)

    @property
    def count(self) -> int:
        return _HEADER.unpack_from(self._map)[0]

    def noted(self) -> list[tuple[int, int]]:
        """(address, instructions before it) in the order in which they ran."""
        number = _HEADER.unpack_from(self._map)[3]
        if number > CAPACITY:
            raise EmulationFault(f"the model's main function ran {number:,} instructions of its "
                                 f"own, {CAPACITY:,} can be noted")
        return [_PAIR.unpack_from(self._map, self._events + _PAIR.size * i)
                for i in range(number)]
