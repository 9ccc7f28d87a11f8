"""Unaligned accesses, which an Armv6-M core answers with a HardFault and unicorn does not.

Looking at every access halves the speed, so a machine does it in its first inference only:
addresses depend on the model, hardly ever on the sample. Armv6-M ARM, A3.2.1.
"""

from __future__ import annotations

import ctypes
import platform
import sys

from edgekit.emulators import block_hook
from edgekit.emulators.processor import Processor
from edgekit.errors import EmulationFault

CORES = frozenset(("cortex-m0", "cortex-m0plus"))

# alignment_hook.c, one for each calling convention.
_SYSTEM_V = bytes.fromhex(
    "89c9488d41ff4885d07417498b01488d70014989314885c075084989510849894910c3")
_WINDOWS_X64 = bytes.fromhex(
    "4589c9488b442430498d51ff4c85c27417488b10488d4a014889084885d275084c8940084c894810c3")
_AAPCS64 = bytes.fromhex(
    "e303032a600400d11f0002eac0000054a00040f901040091a10000f9400000b5a28c00a9c0035fd6")


class State(ctypes.Structure):
    """`struct state`: how many were seen, and the first one's address and bytes."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("seen", "address", "size")]


def machine_code() -> bytes | None:
    """The hook for this host, or None where there is none."""
    machine = platform.machine().lower()
    if sys.maxsize < 1 << 32:
        return None
    if machine in ("x86_64", "amd64"):
        return _WINDOWS_X64 if sys.platform == "win32" else _SYSTEM_V
    return _AAPCS64 if machine == "aarch64" and sys.platform == "linux" else None


class AlignmentCheck:
    """A hook on every access; `state.seen` after a run says whether one was unaligned."""

    def __init__(self, processor: Processor, native: bool = True):
        self._processor, self.state = processor, State()
        code = machine_code() if native else None
        self._at = block_hook.executable(code) if code else None
        self._hook = None

    def install(self) -> None:
        import unicorn
        kinds, uc = unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, self._processor.uc
        if self._at:
            self._hook = block_hook.add_callback(uc, ctypes.addressof(self.state), kinds, self._at)
        else:
            self._hook = uc.hook_add(kinds, self._access)
        uc.ctl_flush_tb()

    def remove(self) -> None:
        if self._at:
            block_hook.delete_hook(self._processor.uc, self._hook)
        else:
            self._processor.uc.hook_del(self._hook)
        self._processor.uc.ctl_flush_tb()

    def reset(self) -> None:
        self.state.seen = 0

    def settle(self) -> None:
        """The run has ended: what was seen stays."""

    def _access(self, uc, kind: int, address: int, size: int, value: int, _data) -> None:
        state = self.state
        if address & (size - 1):
            state.seen += 1
            if state.seen == 1:
                state.address, state.size = address, size


class AlignmentStop:
    """Tells where the access of a check was made, in a second run that ends there."""

    def __init__(self, processor: Processor, state: State):
        self._processor, self._state = processor, state
        self._hooks: list[int] = []
        self._pc = 0

    def install(self) -> None:
        import unicorn
        uc, at = self._processor.uc, self._state.address
        self._hooks = [
            uc.hook_add(unicorn.UC_HOOK_CODE, self._instruction),
            uc.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, self._access, None,
                        at, at)]
        uc.ctl_flush_tb()

    def remove(self) -> None:
        for hook in self._hooks:
            self._processor.uc.hook_del(hook)
        self._processor.uc.ctl_flush_tb()

    def _instruction(self, uc, address: int, size: int, _data) -> None:
        self._pc = address

    def _access(self, uc, kind: int, address: int, size: int, value: int, _data) -> None:
        import unicorn
        if size == self._state.size:
            what = "write to" if kind == unicorn.UC_MEM_WRITE else "read of"
            raise EmulationFault(
                f"unaligned {what} 0x{address:08x} ({size} bytes) at pc "
                f"{self._processor.program.where(self._pc)}",
                f"a {self._processor.board.cpu.core} stops there with a HardFault: copy the bytes")
