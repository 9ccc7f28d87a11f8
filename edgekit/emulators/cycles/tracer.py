"""Hooks that count a run's blocks, its taken branches and the lines its flash caches miss."""

from __future__ import annotations

import ctypes

import numpy as np

from edgekit.emulators import block_hook
from edgekit.emulators.cycles import trace_hook
from edgekit.emulators.cycles.flash_model import FlashModel
from edgekit.emulators.cycles.python_trace import PythonTrace
from edgekit.emulators.processor import Processor

NO_LINE = 0xFFFF_FFFF


class Tracer:
    """`counts` and `misses` of a run that begins at `entry`; `native` asks for machine code."""

    def __init__(self, processor: Processor, entry: int, base: int, span: int,
                 flash: FlashModel | None, native: bool = True):
        self._processor, self._entry, self._flash = processor, entry, flash
        self._running = False
        self._counts = np.zeros((span // 2 + 2, 3), np.uint32)
        self._state = trace_hook.State(base=base, span=span, counts=self._counts.ctypes.data)
        self._lines: list[np.ndarray] = []
        self._caches = self._make_caches(flash) if flash else []
        code = trace_hook.machine_code() if native else None
        self._code = code if code and block_hook.executable(code.data) else None
        self._hooks: list = []

    def _make_caches(self, flash: FlashModel) -> list[trace_hook.Cache]:
        sizes = [flash.instruction] if flash.unified else [flash.instruction, flash.data]
        caches = []
        for size in sizes:
            self._lines.append(np.full(size, NO_LINE, np.uint32))
            caches.append(trace_hook.Cache(self._lines[-1].ctypes.data, size, 0))
        state = self._state
        state.flash, state.flash_size = flash.origin, flash.size
        state.shift = flash.line.bit_length() - 1
        state.code, state.data = ctypes.addressof(caches[0]), ctypes.addressof(caches[-1])
        return caches

    def install(self) -> None:
        """Begin to count; blocks that were translated before are translated again."""
        if not self._caches:  # a cache of size 0 costs nothing
            self._caches = [trace_hook.Cache(0, 0, 0)]
            self._state.code = self._state.data = ctypes.addressof(self._caches[0])
        if self._code:
            self._install_native(self._code)
        else:
            PythonTrace(self._state, self._counts, self._caches, self._lines).install(
                self._processor.uc, self._hooks, self._flash)
        self._processor.uc.ctl_flush_tb()

    def _install_native(self, code: trace_hook.Code) -> None:
        import unicorn
        at = block_hook.executable(code.data)
        add = self._processor.uc, ctypes.addressof(self._state)
        self._hooks.append(block_hook.add_callback(*add, unicorn.UC_HOOK_BLOCK, at + code.block))
        if self._flash:
            self._hooks.append(block_hook.add_callback(
                *add, unicorn.UC_HOOK_MEM_READ, at + code.data_read,
                self._flash.origin, self._flash.origin + self._flash.size - 1))

    def remove(self) -> None:
        for hook in self._hooks:
            block_hook.delete_hook(self._processor.uc, hook)
        self._hooks.clear()
        self._processor.uc.ctl_flush_tb()

    def reset(self) -> None:
        """Forget counts, keep what the caches hold."""
        self._counts[:] = 0
        for cache in self._caches:
            cache.misses = 0
        self._state.previous, self._state.outside = self._entry, 0
        self._running = True

    def settle(self) -> None:
        """The run has ended, with a return to its caller."""
        self._running = False
        end = self._state.previous - self._state.base
        if 0 <= end <= self._state.span:
            self._counts[end // 2, 2] += 1

    @property
    def complete(self) -> bool:
        """False where blocks ran that are not in the table."""
        return self._state.outside == 0

    @property
    def misses(self) -> int:
        return sum(cache.misses for cache in self._caches)

    def counts(self) -> np.ndarray:
        """The counts so far; during the run, without the block that just began."""
        counts, state = self._counts.copy(), self._state
        if self._running and self.complete:
            counts[(state.begun - state.base) // 2, 0] -= 1
            counts[(state.previous - state.base) // 2, 1] -= 1
        return counts
