"""The block hook's machine code, run for every calling convention in an emulated CPU."""

from __future__ import annotations

import ctypes

import pytest
from conftest import require_module

from edgekit.emulators import block_hook

CODE, STATE, TABLE, STACK, BACK, READ_SP = 0x10000, 0x20000, 0x30000, 0x50000, 0x60000, 0x70000
BASE, SPAN = 0x0800_0000, 0x40


ANY = 0xDEAD_BEEF_DEAD_BEEF  # what a callee leaves in registers that are its own


def _x86(registers: list[str]):
    import unicorn
    from unicorn import x86_const as r
    uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
    arguments = [getattr(r, f"UC_X86_REG_{name}") for name in registers]

    def read_sp(uc):  # uc_reg_read(uc, register, value)
        uc.mem_write(uc.reg_read(arguments[2]), (0x2000_1000).to_bytes(4, "little"))
        for name in ("RAX", "RCX", "RDX", "R8", "R9", "R10", "R11"):
            uc.reg_write(getattr(r, f"UC_X86_REG_{name}"), ANY)

    def call(address, size):
        stack = STACK + 0x800 - 8  # as behind a call: 8 more than a multiple of 16
        uc.mem_write(stack, BACK.to_bytes(8, "little"))
        uc.reg_write(r.UC_X86_REG_RSP, stack)
        uc.reg_write(r.UC_X86_REG_RBX, 0x1234)
        # The upper half of a 32-bit argument's register is not defined.
        for register, value in zip(arguments, (1, address, size | ANY >> 32 << 32, STATE),
                                   strict=True):
            uc.reg_write(register, value)
        uc.emu_start(CODE, BACK)
        assert uc.reg_read(r.UC_X86_REG_RBX) == 0x1234
        assert uc.reg_read(r.UC_X86_REG_RSP) == stack + 8
    return uc, call, read_sp, b"\xc3"


def _system_v():
    return _x86(["RDI", "RSI", "RDX", "RCX"])


def _windows():
    return _x86(["RCX", "RDX", "R8", "R9"])


def _aapcs64():
    import unicorn
    from unicorn import arm64_const as r
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)

    def read_sp(uc):
        uc.mem_write(uc.reg_read(r.UC_ARM64_REG_X2), (0x2000_1000).to_bytes(4, "little"))
        for number in range(18):
            uc.reg_write(r.UC_ARM64_REG_X0 + number, ANY)

    def call(address, size):
        uc.reg_write(r.UC_ARM64_REG_SP, STACK + 0x800)
        uc.reg_write(r.UC_ARM64_REG_X30, BACK)
        for number, value in enumerate((1, address, size | ANY >> 32 << 32, STATE)):
            uc.reg_write(r.UC_ARM64_REG_X0 + number, value)
        uc.emu_start(CODE, BACK)
        assert uc.reg_read(r.UC_ARM64_REG_SP) == STACK + 0x800
    return uc, call, read_sp, bytes.fromhex("c0035fd6")


@pytest.mark.parametrize("host, code", [(_system_v, block_hook._SYSTEM_V),
                                        (_windows, block_hook._WINDOWS_X64),
                                        (_aapcs64, block_hook._AAPCS64)])
def test_the_machine_code_counts_blocks_and_the_deepest_stack(host, code):
    require_module("unicorn")
    import unicorn
    uc, call, read_sp, ret = host()
    for address in (CODE, STATE, TABLE, STACK, BACK, READ_SP):
        uc.mem_map(address, 0x1000)
    uc.mem_write(CODE, code)
    uc.mem_write(READ_SP, ret)
    entries = [(slot, 24 if slot == 3 else 8 if slot == 5 else 0) for slot in range(SPAN // 2 + 2)]
    uc.mem_write(TABLE, b"".join(number.to_bytes(4, "little") for entry in entries
                                 for number in entry))
    state = block_hook.State(base=BASE, span=SPAN, table=TABLE, sp_register=12, reg_read=READ_SP,
                             lowest=(1 << 64) - 1)
    uc.mem_write(STATE, bytes(state))
    uc.hook_add(unicorn.UC_HOOK_CODE, lambda uc, *_: read_sp(uc), None, READ_SP, READ_SP)

    def after(address, size):
        call(address, size)
        now = block_hook.State.from_buffer_copy(uc.mem_read(STATE, ctypes.sizeof(state)))
        return now.total, now.last, now.outside, now.lowest, now.lowest_at

    none = (1 << 64) - 1
    assert after(BASE, 8) == (4, 4, 0, none, 0)
    assert after(BASE + 10, 4) == (6, 2, 0, 0x2000_0FF8, BASE + 10)
    assert after(BASE + 6, 2) == (7, 1, 0, 0x2000_0FE8, BASE + 6)
    assert after(BASE + 10, 54) == (34, 27, 0, 0x2000_0FE8, BASE + 6)
    for outside, (address, size) in enumerate([(BASE - 2, 4), (BASE + SPAN, 2), (0, 2)], 1):
        assert after(address, size) == (34, 27, outside, 0x2000_0FE8, BASE + 6)
