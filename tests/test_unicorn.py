"""The unicorn engine: outputs, exact counts, peak stack and faults of real ELF files."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from conftest import require_module, require_tool
from unicorn_firmware import MAP, PI, RISCV, build, cortex_m, expected

from edgekit import tools
from edgekit.board import Serial, load_board
from edgekit.emulators.code_table import disassemble
from edgekit.emulators.elf import Program
from edgekit.emulators.memory_map import RETURN, Region, map_regions
from edgekit.emulators.unicorn import open_machine
from edgekit.errors import BadData, DoesNotFit, EmulationFault, NotThere, UsageError

X = bytes([1, 2, 250, 4, 5, 251, 7, 8])
BOARDS = [cortex_m("cortex-m0plus"), cortex_m("cortex-m3"), cortex_m("cortex-m4"),
          cortex_m("cortex-m7"), cortex_m("cortex-m33"), RISCV, PI]
TRANSCRIPTS = {"cortex": "uart\nsemihosting\n", "rv32": "uart\n"}


def single_step(machine) -> tuple[int, int]:
    """(instructions, peak stack) of one inference, run instruction by instruction."""
    processor, count, lowest = machine._processor, 0, machine._stack
    machine._use()
    machine.load((X,))
    processor.prepare(machine._stack)
    pc = processor.program.symbol("m_invoke")
    while pc != RETURN:
        half = int.from_bytes(processor.uc.mem_read(pc, 2), "little")
        # unicorn steps over IT (0xBFxy, y not 0) and instructions behind it at once.
        predicated = processor.cpu.family == "cortex-m" and half >> 8 == 0xBF and half & 15
        processor.run(pc, RETURN, instructions=1)
        before, pc = pc, processor.pc
        if predicated:
            assert before < pc <= before + 18
            code = bytes(processor.uc.mem_read(before, pc - before))
            count += sum(1 for _ in disassemble(processor.cpu, before, code))
        else:
            count += 1
        lowest = min(lowest, processor.uc.reg_read(processor.cpu.sp))
    return count, machine._stack - lowest


def qemu_count(elf, log) -> int:
    """Instructions of the first m_invoke in QEMU, which logs each of them."""
    qemu = require_tool("qemu-system-arm")
    done = tools.run([qemu, "-M", "mps2-an386", "-display", "none", "-semihosting", "-singlestep",
                      "-d", "exec,nochain", "-D", str(log), "-kernel", str(elf)], timeout_s=60)
    assert done.returncode == 0, done.stderr.decode()
    program = Program(elf)
    invoke = program.symbol("m_invoke")
    program.close()
    pcs = [int(line.split("/")[1], 16) for line in log.read_text().splitlines() if "Trace" in line]
    first = pcs.index(invoke)
    back = pcs[first - 1] + 4  # behind the BL that called it
    return pcs.index(back, first) - first


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.cpu.core)
@pytest.mark.parametrize("optimize", ["-O0", "-O2"])
def test_firmware_boots_and_counts_what_single_stepping_counts(tmp_path, board, optimize):
    firmware = build(tmp_path, board, optimize=optimize)
    first, second, last = expected(X)
    with open_machine(firmware, board, MAP) as machine:
        if board is not PI:
            assert machine.transcript == TRANSCRIPTS[
                "rv32" if board is RISCV else "cortex"]
        machine.load((X,))
        assert machine.infer().outputs == (last,)
        counted = machine.infer(count=True)
        assert machine.layers() == (first, second, None, last)
        assert counted.outputs == (last,)
        instructions, peak = single_step(machine)
        assert (instructions, peak) == (counted.instructions, counted.peak_stack)
        assert counted.op_instructions[2] == 0
        assert 0 < counted.instructions - sum(counted.op_instructions) < 60
        assert "deep" in machine.peak_at and "model.c:" in machine.peak_at


@pytest.mark.parametrize("optimize", ["-O0", "-O1", "-O2"])
def test_qemu_counts_the_same_instructions(tmp_path, optimize):
    firmware = build(tmp_path, cortex_m(), optimize=optimize, rounds=20)
    with open_machine(firmware, cortex_m(), MAP) as machine:
        machine.load((bytes(8),))
        assert machine.infer(count=True).instructions == qemu_count(firmware.elf, tmp_path / "log")


@pytest.mark.parametrize("board", [cortex_m(), RISCV, PI], ids=lambda board: board.cpu.core)
def test_both_counters_give_the_same_integers(tmp_path, board):
    firmware = build(tmp_path, board, rounds=50)
    results = []
    for native in (True, False):
        with open_machine(firmware, board, MAP, native_counter=native) as machine:
            machine.load((X,))
            results.append((machine.infer(count=True), machine.infer(count=True), machine.peak_at))
    assert results[0] == results[1]
    assert results[0][0] == results[0][1]


def test_counting_can_be_switched_on_and_off(tmp_path):
    with open_machine(build(tmp_path, cortex_m()), cortex_m(), MAP) as machine:
        machine.load((X,))
        counted = machine.infer(count=True)
        assert machine.infer().instructions is None
        machine.layers()
        assert machine.infer(count=True) == counted


def test_the_firmware_is_asked_for_addresses_that_the_map_does_not_know(tmp_path):
    def unknown(tensors):
        return [{**tensor, "offset": None} for tensor in tensors]
    ops = [{"index": 0, "kind": "ADD", "symbol": None, "outputs": unknown(MAP["outputs"])}]
    without = {**MAP, "inputs": unknown(MAP["inputs"]), "outputs": unknown(MAP["outputs"]),
               "ops": ops}
    firmware = build(tmp_path, cortex_m())
    with open_machine(firmware, cortex_m(), MAP) as machine:
        machine.load((X,))
        known = machine.infer(count=True)
    with open_machine(firmware, cortex_m(), without) as machine:
        machine.load((X,))
        asked = machine.infer(count=True)
        assert machine.layers() == (None,)
    assert asked.outputs == known.outputs and asked.op_instructions == ()
    assert (asked.instructions, asked.peak_stack) == (known.instructions, known.peak_stack)


@pytest.mark.parametrize("what, code, message", [
    ("a write to nothing", "*(volatile int*)0x60000000=1",
     r"write to unmapped 0x60000000 \(4 bytes\) at pc 0x\w+ in m_invoke \(model.c:60\)"),
    ("a read behind the RAM", "*(volatile char*)0x20010000",
     r"read from unmapped 0x20010000 \(1 byte\) at pc 0x\w+ in m_invoke \(model.c:\d+\)"),
    ("a write to flash", "*(volatile short*)0x1000=1",
     r"write to flash 0x00001000 \(2 bytes\) at pc 0x\w+ in m_invoke"),
    ("a jump to nothing", "((void(*)(void))0x70000001)()",
     r"jump to unmapped 0x70000000 from 0x\w+ in m_invoke \(model.c:\d+\)"),
    ("an endless stack", "return deep((int32_t*)m_arena,1000)",
     r"stack overflow: it reached 0x1fff\w+, \d+ bytes below the stack's 4,096, at pc \w+ in deep"),
    ("an undefined instruction", '__asm__ volatile(".short 0xde00")',
     r"undefined instruction at pc 0x\w+ in m_invoke \(model.c:\d+\)"),
    ("a status", "return -3", r"m_invoke returned -3"),
])
def test_a_fault_is_told_with_function_and_line(tmp_path, what, code, message):
    firmware = build(tmp_path, cortex_m(), f"FAULT={code}")
    with open_machine(firmware, cortex_m(), MAP) as machine:
        machine.load((X,))
        for count in (False, True):
            with pytest.raises(EmulationFault, match=message):
                machine.infer(count=count)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("core, code, message", [
    ("cortex-m0plus", "*(volatile int*)p=1",
     r"unaligned write to 0x\w+ \(4 bytes\) at pc 0x\w+ in m_invoke \(model.c:\d+\)"),
    ("cortex-m0plus", "(void)*(volatile short*)p",
     r"unaligned read of 0x\w+ \(2 bytes\) at pc 0x\w+ in m_invoke \(model.c:\d+\)"),
    ("cortex-m0plus", "*(volatile char*)p=1", None),
    ("cortex-m4", "*(volatile int*)p=1", None),
])
def test_an_unaligned_access_stops_an_armv6_m_core(tmp_path, native, core, code, message):
    board = cortex_m(core)
    # What the compiler does not know to be unaligned: else it takes bytes.
    hidden = 'void *p = m_arena + 41; __asm__("" : "+r"(p))'
    firmware = build(tmp_path, board, f"FAULT={hidden}; {code}")
    with open_machine(firmware, board, MAP, native_counter=native) as machine:
        machine.load((X,))
        for count in (True, False):
            if message is None:
                assert machine.infer(count=count).outputs == (expected(X)[2],)
            else:
                with pytest.raises(EmulationFault, match=message):
                    machine.infer(count=count)


def test_the_cycle_counter_of_an_esp32_c3_is_there(tmp_path):
    code = ('unsigned t; __asm__ volatile(".option arch, +zicsr\\n csrwi 0x7e0, 1\\n'
            ' csrr %0, 0x7e2" : "=r"(t)); return (int)t')
    firmware = build(tmp_path, RISCV, f"FAULT={code}")
    with open_machine(firmware, RISCV, MAP) as machine:
        machine.load((X,))
        with pytest.raises(EmulationFault, match="illegal instruction at pc .* in m_invoke"):
            machine.infer()
    esp32c3 = replace(RISCV, port="esp32c3", serial=Serial("uart0", 0x6000_0000))
    firmware = build(tmp_path, esp32c3, f"FAULT={code}")
    with open_machine(firmware, esp32c3, MAP) as machine:
        assert machine.transcript == "uart\n"
        machine.load((X,))
        assert machine.infer(count=True).outputs == (expected(X)[2],)


def test_the_memcpy_of_a_static_linux_program_is_resolved(tmp_path):
    code = ("extern void *memcpy(void *, const void *, unsigned long);"
            "volatile unsigned long size = 8; memcpy(m_arena + 32, m_arena, size)")
    with open_machine(build(tmp_path, PI, f"FAULT={code}"), PI, MAP) as machine:
        assert any(kind == 1032 for _, kind, _ in machine._processor.program.relocations())
        machine.load((X,))
        assert machine.infer(count=True).outputs == (X,)


def test_a_run_that_does_not_end_is_stopped(tmp_path):
    firmware = build(tmp_path, cortex_m(), "FAULT=for(;;)")
    with open_machine(firmware, cortex_m(), MAP, seconds=0.3) as machine:
        machine.load((X,))
        with pytest.raises(EmulationFault, match="did not return within 0.3 s; .* in m_invoke"):
            machine.infer()


def test_a_boot_that_does_not_end_is_stopped_and_says_what_was_printed(tmp_path):
    firmware = build(tmp_path, cortex_m())
    with pytest.raises(EmulationFault, match="did not reach edgekit_ready within 50 instr"):
        with open_machine(firmware, cortex_m(), MAP, boot_instructions=50):
            pass


@pytest.mark.parametrize("name", ["nucleo_l4r5zi", "raspberry_pi_pico", "mps2_an386"])
def test_stores_do_not_throw_away_translated_code(name):
    require_module("unicorn")
    import unicorn
    from unicorn import arm_const as r
    flash, ram = load_board(name).memory[:2]
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(r.UC_CPU_ARM_CORTEX_M3)
    loop = bytes.fromhex("1160 0138 fcd1")  # str r1, [r2]; subs r0, #1; bne to the store
    map_regions(uc, [Region(ram.origin, ram.size, True),
                     Region(flash.origin, flash.size, False, ((flash.origin + 0x100, loop),))])
    translated = []
    uc.hook_add(unicorn.UC_HOOK_EDGE_GENERATED, lambda uc, block, *_: translated.append(block.pc))
    uc.reg_write(r.UC_ARM_REG_R0, 100)
    uc.reg_write(r.UC_ARM_REG_R2, ram.origin + 0x100)
    uc.emu_start(flash.origin + 0x101, flash.origin + 0x100 + len(loop))
    assert uc.reg_read(r.UC_ARM_REG_R0) == 0
    assert len(translated) == len(set(translated))


def test_wrong_inputs_boards_and_cores_are_refused(tmp_path):
    firmware = build(tmp_path, cortex_m())
    with open_machine(firmware, cortex_m(), MAP) as machine:
        assert machine.hello().input_bytes == (8,)
        with pytest.raises(BadData, match="no sample"):
            machine.infer()
        with pytest.raises(BadData, match=r"inputs of \(7,\) bytes"):
            machine.load((X[:7],))
    with pytest.raises(DoesNotFit, match="is in no memory of a test board"):
        with open_machine(build(tmp_path, RISCV), cortex_m(), MAP):
            pass
    with pytest.raises(UsageError, match="no model of cortex-m55"):
        with open_machine(firmware, cortex_m("cortex-m55"), MAP):
            pass


def test_without_unicorn_it_says_what_to_install(tmp_path, monkeypatch):
    firmware = build(tmp_path, cortex_m())
    monkeypatch.setitem(sys.modules, "unicorn", None)
    with pytest.raises(NotThere, match="unicorn") as raised:
        with open_machine(firmware, cortex_m(), MAP):
            pass
    assert raised.value.exit == 6 and "pip install 'edgekit[emulator]'" in raised.value.hint


def test_the_engine_is_imported_only_when_a_machine_is_opened():
    require_module("unicorn")
    done = tools.run([
        sys.executable, "-c", "import sys, edgekit.emulators.unicorn\n"
        "sys.exit(any(name in sys.modules for name in ('unicorn', 'capstone', 'elftools')))"])
    assert done.returncode == 0, done.stderr.decode()
