"""A block hook in machine code: counts instructions and the deepest stack, without a compiler.

unicorn calls it before each translated block with (uc, address, size, state). In C:

    uint64_t from = address - state->base, to = from + size;
    if (from > state->span || to > state->span) { state->outside++; return; }
    state->last = state->table[to / 2].before - state->table[from / 2].before;
    state->total += state->last;
    uint32_t sinks = state->table[from / 2].sinks;
    if (sinks == 0) return;
    uint64_t sp = 0;
    state->reg_read(uc, state->sp_register, &sp);
    if (sp - sinks < state->lowest) { state->lowest = sp - sinks; state->lowest_at = address; }

A Python callback costs about a microsecond for each block, this one a few nanoseconds.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import sys
from functools import cache

# GNU as, Intel syntax, position-independent; one for each calling convention.
_SYSTEM_V = bytes.fromhex(
    "4889f0482b014189d04901c0483b4108776c4c3b410877664c8b4910478b1481452b14814c015118"
    "4c895120458b5481044585d27501c3534883ec204889cb4c891424488974240848c7442410000000"
    "008b7330488d542410ff5338488b442410482b0424483b4340730d48894340488b44240848894348"
    "4883c4205bc348ff4128c3")
_WINDOWS_X64 = bytes.fromhex(
    "4889d0492b014589c04901c0493b4108776e4d3b410877684d8b5910478b1483452b14834d015118"
    "4d895120458b5483044585d27501c3534883ec404c89cb4c89542420488954242848c74424300000"
    "00008b53304c8d442430ff5338488b442430482b442420483b4340730d48894340488b4424284889"
    "43484883c4405bc349ff4128c3")
_AAPCS64 = bytes.fromhex(
    "692840a9290009cb2b41228b3f010aeba80300547f010aeb680300546c3441a98b090b8b8909098b"
    "6b0140b92c3940296b010c4bad010b8b6dac01a94e000035c0035fd6fd7bbda9e30701a9ff3b02a9"
    "613040b9e2830091691c40f920013fd6e30741a9e93b42a929010ecb6a2040f93f010aeb42000054"
    "690404a9fd7bc3a8c0035fd6691440f929050091691400f9c0035fd6")

_pages: list[mmap.mmap] = []  # a mapping ends with its object


class State(ctypes.Structure):
    """What the machine code reads and writes, at offsets that it knows."""

    _fields_ = [(name, ctypes.c_uint64) for name in (
        "base", "span", "table", "total", "last", "outside", "sp_register", "reg_read",
        "lowest", "lowest_at")]


def machine_code() -> bytes | None:
    """The hook for this host, or None where there is none."""
    machine = platform.machine().lower()
    if sys.maxsize < 1 << 32:
        return None
    if machine in ("x86_64", "amd64"):
        return _WINDOWS_X64 if sys.platform == "win32" else _SYSTEM_V
    # macOS on ARM lets no unsigned process write and run the same page.
    return _AAPCS64 if machine == "aarch64" and sys.platform == "linux" else None


@cache
def executable(code: bytes) -> int | None:
    """The address of a copy of the code that may run, or None where the system forbids it."""
    if sys.platform == "win32":
        allocate = ctypes.windll.kernel32.VirtualAlloc
        allocate.restype = ctypes.c_void_p
        allocate.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32)
        address = allocate(None, mmap.PAGESIZE, 0x3000, 0x40)  # COMMIT | RESERVE, RWX
        if address:
            ctypes.memmove(address, code, len(code))
        return address
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None
    page.write(code)
    _pages.append(page)
    return ctypes.addressof(ctypes.c_char.from_buffer(page))


def add_hook(uc, address: int, state: State, sp_register: int):
    """Hook every block of `uc` with the code at `address`; gives what `delete_hook` takes."""
    import unicorn
    from unicorn.unicorn_py3.unicorn import uclib
    state.sp_register = sp_register
    state.reg_read = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value
    return add_callback(uc, ctypes.addressof(state), unicorn.UC_HOOK_BLOCK, address)


def add_callback(uc, data: int, kind: int, address: int, begin: int = 1, end: int = 0):
    """Hook `uc` with the function at `address`, its last argument `data`; begin > end: anywhere."""
    import unicorn
    from unicorn.unicorn_py3.unicorn import uc_hook_h, uclib
    handle = uc_hook_h()
    status = uclib.uc_hook_add(uc._uch, ctypes.byref(handle), kind, address, data, begin, end)
    if status != unicorn.UC_ERR_OK:
        raise unicorn.UcError(status)
    return handle


def delete_hook(uc, handle) -> None:
    from unicorn.unicorn_py3.unicorn import uclib
    uclib.uc_hook_del(uc._uch, handle)
