"""The QEMU engine: the same firmware gives the same bytes and the same integers as in unicorn."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import pytest
from conftest import require_models, require_module, require_tool
from tiny_graphs import network
from unicorn_firmware import MAP, build, cortex_m, expected

from edgekit import samples, targets, tflite_writer, tools, workspace
from edgekit.board import load_board
from edgekit.builders import cmake
from edgekit.emulators import qemu_counter, qemu_machines
from edgekit.emulators.gdb_client import GdbClient, Registers
from edgekit.emulators.qemu import open_qemu
from edgekit.emulators.unicorn import open_machine
from edgekit.errors import BadData, BuildFailed, EdgekitError, EmulationFault, NotThere, UsageError
from edgekit.model import load_model

MACHINES = ["mps2_an385", "mps2_an386", "mps2_an500", "mps2_an505", "qemu_riscv32", "qemu_aarch64",
            "nucleo_f446re"]
X = bytes([1, 2, 250, 4, 5, 251, 7, 8])
AN386 = replace(cortex_m(), name="mps2_an386", emulators=("qemu",))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.tflite"
    path.write_bytes(tflite_writer.write(network()))
    return load_model(path)


def both(model, name: str) -> list[tuple]:
    """What unicorn and QEMU say of the same ELF file."""
    board = load_board(name)
    require_tool(qemu_machines.program(board))
    for package in ("unicorn", "capstone", "elftools"):
        require_module(package)
    code = targets.aot_code(model, board)
    project = cmake.project(code, targets.selftest(model), board)
    firmware = workspace.built(project, board, "auto", "balanced")
    sample = tuple(v.tobytes() for v in samples.random_samples(model.graph, 1)[0])
    found = []
    for engine in (open_machine, open_qemu):
        with engine(firmware, board, code.map) as machine:
            machine.load(sample)
            run = machine.infer(count=True)
            found.append((run.instructions, run.op_instructions, run.outputs, machine.layers(),
                          machine.infer().outputs, machine.transcript))
    return found


@pytest.mark.parametrize("name", MACHINES)
def test_a_small_model_runs_and_counts_as_in_unicorn(tiny, name):
    unicorn, qemu = both(tiny, name)
    assert unicorn == qemu
    assert unicorn[0] > sum(unicorn[1]) > 0


@pytest.mark.parametrize("name", MACHINES[:5])
def test_kws_runs_and_counts_as_in_unicorn(name):
    unicorn, qemu = both(load_model(require_models() / "kws_ref_model.tflite"), name)
    assert unicorn == qemu
    assert unicorn[0] > 1_000_000


@pytest.mark.parametrize("optimize", ["-O0", "-O2"])
def test_operators_and_peak_stack_are_those_of_unicorn(tmp_path, optimize):
    require_tool("qemu-system-arm")
    firmware = build(tmp_path, AN386, optimize=optimize, rounds=20)
    first, second, last = expected(X)
    with open_machine(firmware, AN386, MAP) as unicorn, open_qemu(firmware, AN386, MAP) as qemu:
        for machine in (unicorn, qemu):
            machine.load((X,))
            assert machine.layers() == (first, second, None, last)
        counted, other = unicorn.infer(count=True), qemu.infer(count=True)
        assert qemu.infer(count=True) == other
        assert qemu.hello().input_bytes == (8,)
    assert counted.op_instructions == other.op_instructions
    assert (counted.instructions, counted.outputs) == (other.instructions, other.outputs)
    # The painted stack shows what was written, which need not be all that was reserved.
    assert 0 < other.peak_stack <= counted.peak_stack < other.peak_stack + 64


@pytest.mark.parametrize("code, message", [
    ("for(;;)", r"m_invoke took more than 1 s; it is at pc 0x\w+ in m_invoke \(model.c:\d+\)"),
    ("return -3", "m_invoke returned -3"),
])
def test_a_run_that_goes_wrong_ends_and_is_told(tmp_path, code, message):
    require_tool("qemu-system-arm")
    firmware = build(tmp_path, AN386, f"FAULT={code}")
    with open_qemu(firmware, AN386, MAP, seconds=1) as machine:
        machine.load((X,))
        for run in (lambda: machine.infer(count=True), machine.layers):
            with pytest.raises(EmulationFault, match=message):
                run()


def test_the_firmware_is_asked_for_addresses_that_the_map_does_not_know(tmp_path):
    require_tool("qemu-system-arm")
    firmware = build(tmp_path, AN386)
    without = {**MAP, "inputs": [{**t, "offset": None} for t in MAP["inputs"]],
               "outputs": [{**t, "offset": None} for t in MAP["outputs"]],
               "ops": [{"index": 0, "kind": "ADD", "symbol": None, "outputs": []}]}
    with open_qemu(firmware, AN386, without) as machine:
        machine.load((X,))
        run = machine.infer(count=True)
        assert (run.outputs, run.op_instructions) == ((expected(X)[2],), ())
        assert machine.layers() == (None,)


def test_wrong_inputs_boards_and_missing_programs_are_refused(tmp_path, monkeypatch):
    require_tool("qemu-system-arm")
    firmware = build(tmp_path, AN386)
    with open_qemu(firmware, AN386, MAP) as machine:
        with pytest.raises(BadData, match="no sample"):
            machine.infer()
        with pytest.raises(BadData, match=r"inputs of \(7,\) bytes"):
            machine.load((X[:7],))
    for board in (load_board("nucleo_l4r5zi"), load_board("linux_host")):
        with pytest.raises(UsageError, match="QEMU has no machine for"):
            with open_qemu(firmware, board, MAP):
                pass
    with pytest.raises(EmulationFault) as raised:  # QEMU's own words are the hint
        with open_qemu(firmware, replace(AN386, name="mps2_an999"), MAP):
            pass
    assert "machine" in raised.value.hint
    monkeypatch.setattr(tools, "find", lambda program: None)
    with pytest.raises(NotThere, match="qemu-system-arm is not on PATH"):
        with open_qemu(firmware, AN386, MAP):
            pass


def test_a_board_that_only_qemu_has_is_run_by_it(tiny):
    require_module("elftools")
    require_tool("qemu-system-arm")
    require_tool("arm-none-eabi-gcc")
    board = load_board("mps3_an547")
    assert targets.choose_engine(board, "auto") == "qemu"
    with targets.open_link(tiny, board) as link:
        assert link.hello().where == "qemu"


def test_the_plugin_is_built_for_the_interface_that_qemu_has(tmp_path, monkeypatch):
    require_tool("cc")
    for said, version in (("7.2.22", 1), ("8.2.2", 1), ("9.0.0", 2), ("10.1.0", 2)):
        done = tools.run([sys.executable, "-c", f"print('QEMU emulator version {said}')"])
        with monkeypatch.context() as patched:
            patched.setattr(tools, "run", lambda *a, done=done, **k: done)
            assert qemu_counter._version("qemu-system-arm") == version
    monkeypatch.setattr(qemu_counter, "SOURCE", tmp_path / "none.c")
    with pytest.raises(BuildFailed, match="the host compiler refused QEMU's plugin"):
        qemu_counter.build(tmp_path, sys.executable)


# The pipe and the protocol, without QEMU.

STUB = '''
import sys
script = {script!r}
read = sys.stdin.buffer.read1
while data := read(1 << 16):
    for question, answer in script:
        if question in data:
            for part in answer:
                sys.stdout.buffer.write(part)
                sys.stdout.buffer.flush()
'''


def client(tmp_path, *script) -> tuple[GdbClient, tools.Pipe]:
    program = STUB.format(script=[(b"qXfer", [b"+$l<x/>#00"]), *script])
    pipe = tools.Pipe([sys.executable, "-c", program], tmp_path / "errors")
    return GdbClient(pipe, Registers(15, 13, 14, 0, 4)), pipe


def test_packets_come_in_pieces(tmp_path):
    gdb, pipe = client(tmp_path, (b"$pf#", [b"+", b"$7856", b"34", b"12#c", b"4"]),
                       (b"$m20,4#", [b"+$0102", b"0304#8a"]), (b"$Pf=01000000#", [b"+$OK#9a"]))
    assert gdb.register(15) == 0x12345678
    assert gdb.read(0x20, 4) == bytes([1, 2, 3, 4])
    gdb.set_register(15, 1)
    pipe.close()


def test_what_the_stub_refuses_is_told(tmp_path):
    gdb, pipe = client(tmp_path, (b"$m", [b"$E14#aa"]), (b"$M", [b"$E22#a9"]),
                       (b"$c#", [b"$W03#ba"]))
    with pytest.raises(EmulationFault, match="there is no memory at 0x00000040"):
        gdb.read(0x40, 4)
    with pytest.raises(EmulationFault, match="the emulator refused 'M40,1:07': E22"):
        gdb.write(0x40, b"\x07")
    with pytest.raises(EmulationFault, match="the firmware ended with code 3"):
        gdb.go(5)
    pipe.close()


def test_a_target_that_does_not_stop_is_halted_in_time(tmp_path):
    gdb, pipe = client(tmp_path, (b"\x03", [b"$T02#b6"]))
    begun = time.monotonic()
    assert gdb.go(0.2) is False
    assert time.monotonic() - begun < 5
    pipe.close()


def test_a_pipe_to_a_program_that_ended_says_so(tmp_path):
    pipe = tools.Pipe([sys.executable, "-c", "print('x')"], tmp_path / "errors")
    came = b""
    while data := pipe.read(20):
        came += data
    assert came.strip() == b"x" and data == b""
    with pytest.raises(EdgekitError, match="has ended"):
        for _ in range(1000):
            pipe.write(b"y" * 4096)
    pipe.close()
    with pytest.raises(NotThere, match="no-such-program"):
        tools.Pipe(["no-such-program"], tmp_path / "errors")
