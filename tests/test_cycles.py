"""Modelled cycles: the manuals' numbers, one counter in machine code and in Python, the flash."""

from __future__ import annotations

import ctypes
import random
from dataclasses import replace

import numpy as np
import pytest
from conftest import require_models, require_module
from tflm_project import tflm_sources
from unicorn_firmware import MAP, PI, RISCV, build, cortex_m

from edgekit import samples, targets
from edgekit.board import Memory, load_board
from edgekit.builders import cmake
from edgekit.emulators import alignment
from edgekit.emulators.cycles import trace_hook
from edgekit.emulators.cycles.cores import model_of
from edgekit.emulators.cycles.flash_model import FlashModel, flash_model
from edgekit.emulators.cycles.python_trace import PythonTrace
from edgekit.emulators.unicorn import open_machine
from edgekit.model import load_model
from edgekit.runtimes import tflm

X = bytes(8)


COUNT = 60  # a byte of the arena that no tensor uses


def cycles(folder, board, body: str, rounds: int = 100) -> tuple[int, int]:
    """[low, high] cycles of `rounds` times the body: one firmware, its loop's count changed."""
    loop = f"ldrb r0, [%0]\\n mov r2, sp\\n 1: {body}\\n subs r0, r0, #1\\n bne 1b"
    text = f".syntax unified\\n sub sp, sp, #64\\n {loop}\\n add sp, sp, #64"
    firmware = build(folder, board, f'FAULT=__asm__ volatile("{text}" :: "r"(m_arena + {COUNT}) '
                     ': "r0", "r1", "r2", "r3", "r4", "lr", "cc", "memory")')
    totals = []
    with open_machine(firmware, board, MAP) as machine:
        machine.load((X,))
        arena = machine._processor.program.symbol("m_arena")
        for count in (10, 10 + rounds):
            machine._processor.uc.mem_write(arena + COUNT, bytes([count]))
            totals.append(machine.cycles().total)
    return tuple(many - few for few, many in zip(*totals, strict=True))


M0, M3, M4 = (f"cortex-{name}" for name in ("m0plus", "m3", "m4"))
# (what, core, body, fewest, most) cycles of the body by the core's technical reference manual.
MANUAL = [
    ("a load", M4, "ldr r1, [r2]", 2, 2),
    ("a load behind a load", M4, "ldr r1, [r2]\\n ldr r3, [r2, #4]", 3, 4),
    ("four loads", M4, "ldr r1, [r2]\\n ldr r3, [r2, #4]\\n ldr r4, [r2]\\n ldrb r1, [r2]", 5, 8),
    ("a load whose address is loaded", M4, "str r2, [r2]\\n ldr r2, [r2]\\n ldr r3, [r2]", 5, 5),
    ("a store", M4, "str r1, [r2, #4]", 1, 1),
    ("a store behind a load", M4, "ldr r1, [r2]\\n str r1, [r2, #4]", 3, 3),
    ("an indexed store", M4, "movs r3, #4\\n str r1, [r2, r3]", 3, 3),
    ("two words", M4, "ldrd r1, r3, [r2]", 3, 3),
    ("lists", M4, "push {r1, r3, r4}\\n pop {r1, r3, r4}", 8, 8),
    ("a list by a pointer", M4, "ldm r2, {r1, r3, r4}\\n stm r2, {r1, r3, r4}", 8, 8),
    ("a multiplication", M4, "mul r1, r0, r0\\n mla r1, r0, r0, r1\\n smull r1, r3, r0, r0", 3, 3),
    ("SIMD", M4, "smlad r1, r0, r0, r1\\n sxtb16 r3, r1, ror #8\\n ssat r1, #8, r1", 3, 3),
    ("a division", M4, "udiv r1, r0, r0\\n sdiv r1, r0, r0", 4, 24),
    ("a branch", M4, "b 2f\\n nop\\n 2:", 2, 4),
    ("a branch that is not taken", M4, "cmp r0, r0\\n bne 2f\\n 2:", 2, 2),
    ("a call and its return", M4, "bl 2f\\n b 3f\\n 2: bx lr\\n 3:", 6, 12),
    ("an IT that may be folded", M4, "cmp r0, r0\\n it eq\\n moveq r1, r0", 2, 3),
    ("an IT that may not", M4, "mul r1, r0, r0\\n it eq\\n moveq r1, r0", 3, 3),
    ("multiplications", M3, "mul r1, r0, r0\\n mla r1, r0, r0, r1", 3, 3),
    ("long multiplications", M3, "umull r1, r3, r0, r0\\n smlal r1, r3, r0, r0", 7, 12),
    ("a load", M0, "ldr r1, [r2]", 2, 2),
    ("loads are not pipelined", M0, "ldr r1, [r2]\\n ldr r3, [r2, #4]", 4, 4),
    ("a store", M0, "strb r1, [r2]", 2, 2),
    ("lists", M0, "push {r1, r3, r4}\\n pop {r1, r3, r4}", 8, 8),
    ("a multiplication", M0, "muls r1, r0, r1", 1, 1),
    ("a branch", M0, "b 2f\\n nop\\n 2:", 2, 2),
    ("a branch that is not taken", M0, "cmp r0, r0\\n bne 2f\\n 2:", 2, 2),
    ("a call and its return", M0, "bl 2f\\n b 3f\\n 2: bx lr\\n 3:", 7, 7),
    ("a return that pops", M0, "bl 2f\\n b 3f\\n 2: push {r1, lr}\\n pop {r1, pc}\\n 3:", 13, 13),
    ("a system register", M0, "mrs r1, primask", 3, 3),
]


@pytest.mark.parametrize("what, core, body, low, high", MANUAL,
                         ids=[f"{core}: {what}" for what, core, *_ in MANUAL])
def test_an_instruction_takes_what_the_manual_says(tmp_path, what, core, body, low, high):
    # Around the body: SUBS, and BNE that is taken, of 1 + P cycles.
    loop = (3, 3) if core == M0 else (3, 5)
    assert cycles(tmp_path, cortex_m(core), body) == (100 * (low + loop[0]), 100 * (high + loop[1]))


SLOW = replace(cortex_m(), memory=(
    replace(cortex_m().memory[0], wait_states=3,
            cache=(("data", 64), ("instruction", 256), ("line", 16), ("read", 8))),
    cortex_m().memory[1]))


@pytest.mark.parametrize("board", [cortex_m(M0), cortex_m(), SLOW],
                         ids=["cortex-m0plus", "cortex-m4", "cortex-m4 with wait states"])
def test_machine_code_and_python_give_the_same_cycles(tmp_path, board):
    firmware, results = build(tmp_path, board, rounds=50), []
    for native in (True, False):
        with open_machine(firmware, board, MAP, native_counter=native) as machine:
            machine.load((X,))
            results.append((machine.cycles(), machine.cycles()))
            tracer = machine._meter.tracer
            assert (tracer._code is not None) == native
            results[-1] += (tracer.misses, tracer.counts().tolist())
    assert results[0] == results[1]
    assert results[0][0] == results[0][1]


def test_operators_make_up_the_inference_and_counting_is_left_alone(tmp_path):
    firmware = build(tmp_path, cortex_m(), rounds=20)
    with open_machine(firmware, cortex_m(), MAP) as machine:
        machine.load((X,))
        counted = machine.infer(count=True)
        found = machine.cycles()
        assert machine.infer(count=True) == counted
        assert machine.cycles() == found
    assert found.ops[2] == (0, 0)
    for end in (0, 1):
        outside = found.total[end] - sum(op[end] for op in found.ops)
        assert 0 < outside < 100
    for op, instructions in zip(found.ops, counted.op_instructions, strict=True):
        assert instructions <= op[0] <= op[1] < 4 * instructions + 1


def test_wait_states_only_raise_the_high_end(tmp_path):
    firmware = build(tmp_path, cortex_m(), rounds=20)
    totals = []
    for board in (cortex_m(), SLOW):
        with open_machine(firmware, board, MAP) as machine:
            machine.load((X,))
            totals.append(machine.cycles().total)
            misses = machine._meter.tracer.misses
    assert totals[0][0] == totals[1][0]
    assert misses > 0 and totals[1][1] - totals[0][1] == misses * 2 * (1 + 3)


def test_cores_that_nobody_has_published_have_no_cycles(tmp_path):
    for board in (RISCV, PI):
        with open_machine(build(tmp_path, board), board, MAP) as machine:
            machine.load((X,))
            assert machine.cycles() is None


def test_a_scaled_core_has_a_third_of_room_on_both_sides(tmp_path):
    ranges = {}
    for core in ("cortex-m4", "cortex-m33"):
        board = cortex_m(core)
        with open_machine(build(tmp_path, cortex_m()), board, MAP) as machine:
            machine.load((X,))
            ranges[core] = machine.cycles().total
    low, high = ranges["cortex-m4"]
    assert ranges["cortex-m33"] == (int(low * 0.7), -int(-high * 1.3 // 1))
    assert "30 %" in model_of(cortex_m("cortex-m33")).said
    assert model_of(cortex_m("cortex-m55")) is None


def test_an_esp32_c3_is_calibrated_on_a_published_run(tmp_path):
    board = replace(RISCV, cpu=load_board("esp32c3").cpu)
    with open_machine(build(tmp_path, RISCV), board, MAP) as machine:
        machine.load((X,))
        instructions = machine.infer(count=True).instructions
        low, high = machine.cycles().total
    assert low == instructions and high == -int(-instructions * 1.09 * 1.3 // 1)
    assert "person_detect" in model_of(board).said
    assert model_of(load_board("qemu_riscv32")) is None


def test_the_flash_of_a_board_is_read_from_its_toml():
    assert flash_model(load_board("mps2_an386")) is None
    assert flash_model(load_board("nucleo_l4r5zi")) == FlashModel(
        0x0800_0000, 0x20_0000, 4 * 6, 32, 32, 8, False)
    pico = flash_model(load_board("raspberry_pi_pico"))
    assert (pico.instruction, pico.data, pico.unified) == (2048, 2048, True)
    bare = replace(cortex_m(), memory=(Memory("flash", "flash", 0, 1 << 20, wait_states=2),))
    assert flash_model(bare) == FlashModel(0, 1 << 20, 3, 4, 1, 1, False)


# Median of the published CMSIS-NN runs on a NUCLEO-L4R5ZI, of vww the only one that does all of
# the network's work: docs/cycles.md.
PUBLISHED = {"ad01_int8": 120e6 / 123.875, "kws_ref_model": 120e6 / 10.679,
             "pretrainedResnet_quant": 120e6 / 3.348, "vww_96_int8": 120e6 / 3.320}


@pytest.mark.external
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_range_of_real_tflite_micro_contains_the_published_run(tmp_path, name):
    tflm_sources()
    board, model = load_board("nucleo_l4r5zi"), load_model(require_models() / f"{name}.tflite")
    code = tflm.generate(model.data, model.graph, model.name, board)
    cmake.project(code, targets.selftest(model), board).write(tmp_path)
    firmware = cmake.build(tmp_path, board, toolchain="gcc")
    with open_machine(firmware, board, code.map) as machine:
        sample = samples.random_samples(model.graph, 1)[0]
        machine.load(tuple(value.tobytes() for value in sample))
        low, high = machine.cycles().total
    assert low <= PUBLISHED[name] <= high


# The machine code of other hosts, in an emulated CPU.

CODE, STATE, COUNTS, LINES, CACHES, STACK, BACK = (0x10000 * n for n in range(1, 8))
BASE, SPAN, FLASH = 0x0800_0000, 0x80, 0x0800_0000


def _state(counts: int, caches: tuple[int, int]) -> trace_hook.State:
    return trace_hook.State(base=BASE, span=SPAN, counts=counts, previous=BASE + 4, flash=FLASH,
                            flash_size=0x1000, shift=3, code=caches[0], data=caches[1])


def _host(name: str):
    """(emulator, function that calls an address with integer arguments) of a host."""
    import unicorn
    if name == "aapcs64":
        from unicorn import arm64_const as r
        uc = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)

        def call(at, arguments):
            uc.reg_write(r.UC_ARM64_REG_SP, STACK + 0x800)
            uc.reg_write(r.UC_ARM64_REG_X30, BACK)
            for number, value in enumerate(arguments):
                uc.reg_write(r.UC_ARM64_REG_X0 + number, value)
            uc.emu_start(at, BACK)
            assert uc.reg_read(r.UC_ARM64_REG_SP) == STACK + 0x800
        return uc, call
    from unicorn import x86_const as r
    uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
    registers = ("RDI RSI RDX RCX R8 R9" if name == "system v" else "RCX RDX R8 R9").split()
    kept = "RBX RBP R12 R13 R14 R15" + ("" if name == "system v" else " RDI RSI")

    def call(at, arguments):
        stack = STACK + 0x800 - 8
        # The return address, and Windows's shadow space before the fifth argument.
        words = [BACK, 0, 0, 0, 0, *arguments[len(registers):]]
        uc.mem_write(stack, b"".join(word.to_bytes(8, "little") for word in words))
        uc.reg_write(r.UC_X86_REG_RSP, stack)
        for register in kept.split():
            uc.reg_write(getattr(r, f"UC_X86_REG_{register}"), 0x1234)
        for register, value in zip(registers, arguments, strict=False):
            uc.reg_write(getattr(r, f"UC_X86_REG_{register}"), value)
        uc.emu_start(at, BACK)
        assert uc.reg_read(r.UC_X86_REG_RSP) == stack + 8
        for register in kept.split():
            assert uc.reg_read(getattr(r, f"UC_X86_REG_{register}")) == 0x1234
    return uc, call


@pytest.mark.parametrize("name, code", [("system v", trace_hook._SYSTEM_V),
                                        ("windows", trace_hook._WINDOWS_X64),
                                        ("aapcs64", trace_hook._AAPCS64)])
@pytest.mark.parametrize("unified", [False, True])
def test_the_machine_code_of_every_host_counts_what_python_counts(name, code, unified):
    require_module("unicorn")
    uc, call = _host(name)
    for address in (CODE, STATE, COUNTS, LINES, CACHES, STACK, BACK):
        uc.mem_map(address, 0x1000)
    sizes = [5] if unified else [4, 2]
    lines = [np.full(size, 0xFFFF_FFFF, np.uint32) for size in sizes]
    caches = [trace_hook.Cache(0, size, 0) for size in sizes]
    counts = np.zeros((SPAN // 2 + 2, 3), np.uint32)
    twin = PythonTrace(_state(0, (0, 0)), counts, caches, lines)
    uc.mem_write(CODE, code.data)
    uc.mem_write(LINES, b"\xff" * 0x100)
    for i, size in enumerate(sizes):
        uc.mem_write(CACHES + 24 * i, bytes(trace_hook.Cache(LINES + 0x80 * i, size, 0)))
    uc.mem_write(STATE, bytes(_state(COUNTS, (CACHES, CACHES + 24 * (len(sizes) - 1)))))
    rng, high = random.Random(1), 0xDEAD_BEEF << 32  # 32-bit arguments have no upper half
    for _ in range(400):
        address, size = BASE - 8 + 2 * rng.randrange(72), 2 * rng.randrange(1, 12)
        call(CODE + code.block, (1, address, size | high, STATE))
        twin.block(None, address, size, None)
        address, size = FLASH - 8 + rng.randrange(0x100), rng.choice((1, 2, 4, 8))
        call(CODE + code.data_read, (1, 16 | high, address, size | high, 99, STATE))
        twin.data_read(None, 16, address, size, 99, None)
    assert np.array_equal(np.frombuffer(uc.mem_read(COUNTS, counts.nbytes), np.uint32),
                          counts.ravel())
    state = trace_hook.State.from_buffer_copy(uc.mem_read(STATE, ctypes.sizeof(trace_hook.State)))
    for field in ("previous", "begun", "outside"):
        assert getattr(state, field) == getattr(twin._state, field)
    assert 0 < state.outside < 400
    for i, cache in enumerate(caches):
        theirs = trace_hook.Cache.from_buffer_copy(uc.mem_read(CACHES + 24 * i, 24))
        assert theirs.misses == cache.misses > 100
        assert bytes(uc.mem_read(LINES + 0x80 * i, lines[i].nbytes)) == lines[i].tobytes()


@pytest.mark.parametrize("name, code", [("system v", alignment._SYSTEM_V),
                                        ("windows", alignment._WINDOWS_X64),
                                        ("aapcs64", alignment._AAPCS64)])
def test_the_alignment_hook_of_every_host_keeps_the_first_unaligned_access(name, code):
    require_module("unicorn")
    uc, call = _host(name)
    for address in (CODE, STATE, STACK, BACK):
        uc.mem_map(address, 0x1000)
    uc.mem_write(CODE, code)
    high = 0xDEAD_BEEF << 32  # 32-bit arguments have no upper half

    def after(address: int, size: int) -> tuple[int, int, int]:
        call(CODE, (1, 16 | high, address, size | high, 99, STATE))
        state = alignment.State.from_buffer_copy(uc.mem_read(STATE, 24))
        return state.seen, state.address, state.size

    for address, size in ((0x2000_0001, 1), (0x2000_0002, 2), (0x2000_0004, 4), (0x2000_0008, 8)):
        assert after(address, size) == (0, 0, 0)
    assert after(0x2000_0002, 4) == (1, 0x2000_0002, 4)
    assert after(0x2000_0004, 8) == (2, 0x2000_0002, 4)
    assert after(0x2000_0005, 2) == (3, 0x2000_0002, 4)
