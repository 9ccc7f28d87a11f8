"""What compilers and linkers say when they refuse, as errors with numbers."""

from __future__ import annotations

import re

from edgekit.board import Board
from edgekit.errors import DoesNotFit

# GNU ld: region `sram' overflowed by 4711 bytes
_GNU = re.compile(r"region [`'‘](?P<region>\w+)['’] overflowed by (?P<bytes>\d+) bytes?")
# lld: section '.noinit' will not fit in region 'sram': overflowed by 4711 bytes
_LLD = re.compile(r"will not fit in region '(?P<region>\w+)': overflowed by (?P<bytes>\d+) bytes?")

# CMake Error at model/model.cmake:69 (message):
#   TFLM_DIR (/tmp) holds no TFLite Micro
_CMAKE = re.compile(r"^CMake Error at .*:\n((?:  .*\n|\n)+)", re.MULTILINE)

_LINES = 8


def overflow(output: str, board: Board) -> DoesNotFit | None:
    """The error for the region that overflows most, if the linker said that one does."""
    found: dict[str, int] = {}
    for pattern in (_GNU, _LLD):
        for match in pattern.finditer(output):
            region = match["region"]
            found[region] = max(found.get(region, 0), int(match["bytes"]))
    if not found:
        return None
    region, excess = max(found.items(), key=lambda item: item[1])
    size = next((memory.size for memory in board.memory if memory.name == region), None)
    limit = f", which has {size:,} bytes" if size else ""
    others = tuple(f"{name} overflows by {count:,} bytes" for name, count in sorted(found.items()))
    return DoesNotFit(f"{board.title}: the firmware needs {excess:,} bytes more than {region}{limit}",
                      "prune the model, or try --optimize size, or a larger board", reasons=others)


def last_errors(output: str) -> str:
    """The last lines that name an error, or the last lines where none does; CMake's own message
    where CMake refused."""
    refused = _CMAKE.search(output)
    if refused:
        return " ".join(refused[1].split())
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|undefined reference", line, re.IGNORECASE)]
    return "\n".join((errors or lines)[-_LINES:])
