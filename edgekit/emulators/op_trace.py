"""Where each op of the model begins and ends while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgekit.emulators.memory_map import RETURN
from edgekit.emulators.processor import Processor


class OpTrace:
    """Hooks on the entries of the op functions and on the addresses they return to.

    Both are block starts, since a call and a return lead to them. `entered` and `left` are
    called with the op's index before the first instruction there. Return addresses are
    learnt while the model runs: `learnt` says that a run met new ones and must be repeated.
    """

    def __init__(self, processor: Processor, symbols: Sequence[str | None]):
        self._processor = processor
        self._entries: dict[int, list[int]] = {}
        for index, name in enumerate(symbols):
            if name is not None:
                self._entries.setdefault(processor.program.symbol(name), []).append(index)
        self._returns: set[int] = {RETURN}
        self._hooks: list[int] = []

    def install(self) -> None:
        for address in self._entries:
            self._hook(address, self._at_entry)
        for address in self._returns - {RETURN}:
            self._hook(address, self._at_return)
        self._processor.uc.ctl_flush_tb()

    def remove(self) -> None:
        for hook in self._hooks:
            self._processor.uc.hook_del(hook)
        self._hooks.clear()
        self._processor.uc.ctl_flush_tb()

    def _hook(self, address: int, callback) -> None:
        import unicorn
        self._hooks.append(self._processor.uc.hook_add(unicorn.UC_HOOK_CODE, callback, None,
                                                       address, address))

    def begin(self, entered: Callable[[int], None], left: Callable[[int], None]) -> None:
        """Before a run."""
        self._entered, self._left = entered, left
        self._waiting = {address: list(ops) for address, ops in self._entries.items()}
        self._open: tuple[int, int, int] | None = None
        self._new: set[int] = set()

    def _at_entry(self, uc, address: int, size: int, _data) -> None:
        """Ops whose code the compiler merged share an address and come in file order."""
        if self._open or not self._waiting[address]:
            return
        cpu = self._processor.cpu
        back = uc.reg_read(cpu.lr) & (~1 if cpu.family == "cortex-m" else ~0)
        if back not in self._returns:
            self._new.add(back)
        self._open = self._waiting[address].pop(0), back, uc.reg_read(cpu.sp)
        if not self._new:
            self._entered(self._open[0])
        else:
            self._open = None

    def _at_return(self, uc, address: int, size: int, _data) -> None:
        if self._open and self._open[1:] == (address, uc.reg_read(self._processor.cpu.sp)):
            op, self._open = self._open[0], None
            self._left(op)

    def end(self) -> None:
        """After a run: an op that was called last and in tail position ends with it."""
        if self._open:
            self._left(self._open[0])

    def learnt(self) -> bool:
        """Hook return addresses that were new in the run; True where there were any."""
        if not self._new:
            return False
        for address in sorted(self._new):
            self._hook(address, self._at_return)
        self._returns |= self._new
        self._processor.uc.ctl_flush_tb()
        return True
