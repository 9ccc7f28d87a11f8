"""The arena TFLite Micro needs for a model, found by trying sizes in the `tflite-micro` wheel.

Run as a child process, `python -m edgekit.runtimes.arena_probe < MODEL`: TFLite Micro checks
with assertions, and one that fails ends the process. Answers one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

STEP = 16  # bytes: the arena's alignment


def smallest(works: Callable[[int], bool], limit: int) -> int | None:
    """The smallest multiple of STEP up to `limit` for which `works`; None where none does.

    `works` must stay true once it is true.
    """
    limit -= limit % STEP
    if not works(limit):
        return None
    low, high = 0, limit
    while high - low > STEP:
        middle = (low + high) // (2 * STEP) * STEP
        low, high = (low, middle) if works(middle) else (middle, high)
    return high


def search(model: bytes, limit: int) -> int | None:
    """Smallest arena in bytes with which AllocateTensors succeeds; None above `limit`."""
    from tflite_micro import runtime

    def works(size: int) -> bool:
        try:
            runtime.Interpreter.from_bytes(model, arena_size=size)
        except RuntimeError:
            return False
        return True

    return smallest(works, limit)


def main() -> None:
    limit = int(sys.argv[1])
    # TFLite Micro writes its complaints to stdout and stderr: the answer is the last line.
    answer = json.dumps({"bytes": search(sys.stdin.buffer.read(), limit)})
    sys.stdout.write(f"\n{answer}\n")


if __name__ == "__main__":
    main()
