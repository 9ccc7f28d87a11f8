"""Exact instruction counts and peak stack of a run, by a hook on every block.

Two counters give the same integers: `NativeCounter` runs machine code in unicorn's process,
`PythonCounter` needs nothing of the host and takes each block's length from capstone at run
time, so it also counts code that was not in the ELF's code sections.
"""

from __future__ import annotations

from edgekit.emulators import block_hook
from edgekit.emulators.code_table import CodeTable, disassemble
from edgekit.emulators.processor import Processor

NOTHING = (1 << 64) - 1


class Counter:
    """`total` instructions, `last` those of the block that runs, `lowest` SP and where."""

    total: int
    last: int

    def __init__(self, processor: Processor, table: CodeTable):
        self._processor, self._table = processor, table
        self._hooks: list = []
        self._unknown = (NOTHING, 0)

    def install(self) -> None:
        """Begin to count; blocks that were translated before are translated again."""
        import unicorn
        uc = self._processor.uc
        for address in self._table.unknown:
            self._hooks.append(uc.hook_add(unicorn.UC_HOOK_CODE, self._behind_unknown,
                                           None, address, address))
        self._install()
        uc.ctl_flush_tb()

    def remove(self) -> None:
        for hook in self._hooks:
            self._processor.uc.hook_del(hook)
        self._hooks.clear()
        self._remove()
        self._processor.uc.ctl_flush_tb()

    def _behind_unknown(self, uc, address: int, size: int, _data) -> None:
        """Here SP was just changed by a register: what follows is known again."""
        sp = uc.reg_read(self._processor.cpu.sp) - self._table.sinks(address)
        self._unknown = min(self._unknown, (sp, address))

    def reset(self) -> None:
        self._unknown = (NOTHING, 0)
        self._reset()

    @property
    def before(self) -> int:
        """Instructions before the block that just began; after `settle`, all of them."""
        return self.total - self.last

    @property
    def lowest(self) -> tuple[int, int]:
        """The smallest SP, and the instruction that made it so."""
        sp, line = min(self._unknown, self._lowest())
        return sp, self._table.deepest(line) if sp != NOTHING else 0

    @property
    def complete(self) -> bool:
        """False where blocks ran that this counter cannot count."""
        return True


class NativeCounter(Counter):
    """Counts in machine code; `available` says whether this host can."""

    available = staticmethod(lambda: block_hook.machine_code() is not None
                             and block_hook.executable(block_hook.machine_code()) is not None)

    def __init__(self, processor: Processor, table: CodeTable):
        super().__init__(processor, table)
        self._state = block_hook.State(base=table.base, span=table.span,
                                       table=table.table.ctypes.data)

    def _install(self) -> None:
        code = block_hook.executable(block_hook.machine_code())
        self._handle = block_hook.add_hook(self._processor.uc, code, self._state,
                                           self._processor.cpu.sp)

    def _remove(self) -> None:
        block_hook.delete_hook(self._processor.uc, self._handle)

    def _reset(self) -> None:
        state = self._state
        state.total = state.last = state.outside = state.lowest_at = 0
        state.lowest = NOTHING

    def settle(self) -> None:
        """The run has ended: no block is running."""
        self._state.last = 0

    def _lowest(self) -> tuple[int, int]:
        return self._state.lowest, self._state.lowest_at

    @property
    def total(self) -> int:
        return self._state.total

    @property
    def last(self) -> int:
        return self._state.last

    @property
    def complete(self) -> bool:
        return self._state.outside == 0


class PythonCounter(Counter):
    """Counts in a Python callback, about fifteen times slower."""

    def __init__(self, processor: Processor, table: CodeTable):
        super().__init__(processor, table)
        self._blocks: dict[tuple[int, int], tuple[int, int]] = {}

    def _install(self) -> None:
        import unicorn
        self._handle = self._processor.uc.hook_add(unicorn.UC_HOOK_BLOCK, self._block)

    def _remove(self) -> None:
        self._processor.uc.hook_del(self._handle)

    def _reset(self) -> None:
        self.total = self.last = 0
        self._deepest = (NOTHING, 0)

    def settle(self) -> None:
        """The run has ended: no block is running."""
        self.last = 0

    def _lowest(self) -> tuple[int, int]:
        return self._deepest

    def _block(self, uc, address: int, size: int, _data) -> None:
        known = self._blocks.get((address, size))
        if known is None:
            known = self._blocks[address, size] = self._decode(address, size)
        self.last, sinks = known
        self.total += self.last
        if sinks:
            sp = uc.reg_read(self._processor.cpu.sp) - sinks
            if sp < self._deepest[0]:
                self._deepest = (sp, address)

    def _decode(self, address: int, size: int) -> tuple[int, int]:
        code = bytes(self._processor.uc.mem_read(address, size))
        count = sum(1 for _ in disassemble(self._processor.cpu, address, code))
        return count, self._table.sinks(address)
