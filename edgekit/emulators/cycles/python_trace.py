"""trace_hook.c in Python: the same counts, for hosts that may not run machine code of ours."""

from __future__ import annotations

import numpy as np

from edgekit.emulators.cycles.flash_model import FlashModel
from edgekit.emulators.cycles.trace_hook import Cache, State


class PythonTrace:
    """The hooks of trace_hook.c on the same structures."""

    def __init__(self, state: State, counts: np.ndarray, caches: list[Cache],
                 lines: list[np.ndarray]):
        self._state, self._counts, self._caches, self._lines = state, counts, caches, lines

    def install(self, uc, hooks: list, flash: FlashModel | None) -> None:
        import unicorn
        hooks.append(uc.hook_add(unicorn.UC_HOOK_BLOCK, self.block))
        if flash:
            hooks.append(uc.hook_add(unicorn.UC_HOOK_MEM_READ, self.data_read, None,
                                     flash.origin, flash.origin + flash.size - 1))

    def block(self, uc, address: int, size: int, _data) -> None:
        state, counts = self._state, self._counts
        begin, before = address - state.base, state.previous - state.base
        if state.previous != address and 0 <= before <= state.span:
            counts[before // 2, 2] += 1
        state.previous, state.begun = address + size, address
        if begin < 0 or begin + size > state.span:
            state.outside += 1
            return
        counts[begin // 2, 0] += 1
        counts[(begin + size) // 2, 1] += 1
        self._pass(0, address, size)

    def data_read(self, uc, kind: int, address: int, size: int, value: int, _data) -> None:
        self._pass(-1, address, size)

    def _pass(self, which: int, address: int, size: int) -> None:
        state, begin = self._state, address - self._state.flash
        if begin < 0 or begin + size > state.flash_size or not self._caches[which].size:
            return
        for line in range(begin >> state.shift, (begin + size - 1 >> state.shift) + 1):
            self._touch(which, line)

    def _touch(self, which: int, line: int) -> None:
        lines = self._lines[which]
        if lines[0] == line:
            return
        found = np.flatnonzero(lines == line)
        place = int(found[0]) if len(found) else len(lines) - 1
        lines[1:place + 1] = lines[:place].copy()
        lines[0] = line
        if not len(found):
            self._caches[which].misses += 1
