"""MLPerf Tiny's text protocol, driven by a small runner of our own over the firmware's UART."""

from __future__ import annotations

import random
import re
from contextlib import ExitStack

import numpy as np
import pytest

from conftest import require_module, require_tool
from edgekit import samples, tflite_writer, tools
from edgekit.board import load_board
from edgekit.emulators.worker import open_port_in_worker
from edgekit.errors import BuildFailed
from edgekit.firmware import Firmware
from edgekit.golden import Golden
from edgekit.model import model_of
from edgekit.serial_port import open_port
from firmware_process import build, running
from mlperf_runner import ProtocolError, Runner, accuracy, performance
from test_device_link import APP, BOARD_H, FLAGS
from tiny_graphs import network

NETWORK = model_of(tflite_writer.write(network()), "tiny_network")
INPUT, OUTPUT = (NETWORK.graph.tensors[side[0]] for side in (NETWORK.graph.inputs,
                                                             NETWORK.graph.outputs))


def firmware(benchmark: str, board: str = "linux_host"):
    return build(NETWORK, board, change=(
        "CMakeLists.txt", b'set(EDGEKIT_MLPERF ""', f'set(EDGEKIT_MLPERF "{benchmark}"'.encode()))


@pytest.fixture
def runner():
    """Starts firmware for a benchmark; gives a runner that has found it."""
    with ExitStack() as stack:
        def start(benchmark: str, board: str = "linux_host") -> Runner:
            wire = stack.enter_context(running(board, firmware(benchmark, board)))
            port = open_port(wire.path, 115_200)
            stack.callback(port.close)
            found = Runner(port)
            found.begin()
            return found
        yield start


def golden(sample: np.ndarray) -> tuple[float, ...]:
    """The output as the protocol prints it."""
    truth = Golden(NETWORK)
    truth.run((sample,))
    raw = np.frombuffer(truth.tensor(NETWORK.graph.outputs[0]), np.int8).astype(np.float64)
    real = (raw - OUTPUT.zero_point) * OUTPUT.scale
    return tuple(float(f"{value:.3f}") for value in real)


def chosen(count: int) -> list[np.ndarray]:
    return [sample[0] for sample in samples.random_samples(NETWORK.graph, count)]


def close(got, wanted) -> bool:
    return len(got) == len(wanted) and np.allclose(got, wanted, atol=1.01e-3)


def test_it_is_strict_c_and_calls_only_the_board(tmp_path):
    gcc = require_tool("arm-none-eabi-gcc")
    (tmp_path / "board.h").write_text(BOARD_H + '#define BOARD_NAME "x"\n')
    done = tools.run([gcc, "-mcpu=cortex-m0plus", "-mthumb", "-Os", "-ffreestanding", *FLAGS,
                      f"-I{tmp_path}", f"-I{APP}", "-c", str(APP / "mlperf.c"), "-o",
                      str(tmp_path / "m.o")])
    assert done.returncode == 0, done.stderr.decode()
    names = tools.run(["arm-none-eabi-nm", "-u", str(tmp_path / "m.o")]).stdout.decode().split()
    assert {name for name in names[1::2] if not name.startswith("__")} == {
        "board_cycles", "board_getc", "board_putc"}


def test_accuracy_mode_gives_the_goldens_outputs(runner):
    require_module("tflite_micro")
    there = runner("kws01")
    assert there.who() == ("linux_host", "kws01")
    taken = chosen(5)
    got = accuracy(there, [sample.tobytes() for sample in taken])
    assert all(close(result, golden(sample)) for result, sample in zip(got, taken, strict=True))


def test_images_come_as_bytes_from_0_to_255(runner):
    sample = chosen(1)[0]
    (got,) = accuracy(runner("ic01"), [(sample.astype(np.int16) + 128).astype(np.uint8).tobytes()])
    assert close(got, golden(sample))


def test_performance_mode_measures_time_and_repeats_what_was_loaded(runner):
    there, sample = runner("vww01"), chosen(1)[0]
    data = (sample.astype(np.int16) + 128).astype(np.uint8).tobytes()
    rates = [performance(there, data, 200, 10) for _ in range(3)]
    assert all(500 < rate < 10_000_000 for rate in rates)
    # After 210 inferences, each of which may overwrite its input, the result is still the sample's.
    assert close(there.infer(1, 0).results, golden(sample))


def test_anomaly_detection_gets_floats_and_gives_a_squared_distance(runner):
    real = np.linspace(-2, 2, INPUT.nbytes).astype(np.float32)
    (got,) = accuracy(runner("ad01"), [real.astype("<f4").tobytes()])
    tensor = np.clip(np.round(real / np.float32(INPUT.scale)) + INPUT.zero_point, -128, 127)
    outputs = golden(tensor.astype(np.int8).reshape(INPUT.shape))
    assert got == pytest.approx([np.mean((np.array(outputs) - real[:len(outputs)]) ** 2)], abs=2e-3)


@pytest.mark.parametrize("board", ["mps2_an386", pytest.param("qemu_riscv32", marks=pytest.mark.slow)])
def test_it_is_driven_over_the_uart_of_qemu(runner, board):
    sample = chosen(1)[0]
    (got,) = accuracy(runner("kws01", board), [sample.tobytes()])
    assert close(got, golden(sample))


def test_it_is_driven_over_the_uart_in_unicorn():
    for module in ("unicorn", "capstone", "elftools"):
        require_module(module)
    sample = chosen(1)[0]
    elf = firmware("kws01", "nucleo_l4r5zi")
    with open_port_in_worker(Firmware(elf, "gcc", 0, 0, 0), load_board("nucleo_l4r5zi")) as port:
        there = Runner(port)
        there.wait_ready()
        assert there.who() == ("nucleo_l4r5zi", "kws01")
        there.load(sample.tobytes())
        assert close(there.infer(2, 1).results, golden(sample))


@pytest.mark.parametrize("command, error", [
    ("", "Unknown command"), ("db", "requires a subcommand"), ("db load", "requires the #"),
    ("db load 0", "requires the #"), ("db load 289", "exceeds maximum of 288"),
    ("db load 99999999", "requires the #"), ("db load -1", "requires the #"),
    ("infer", "0 bytes, it is not whole"), ("infer 0", "must be >0"), ("infer x", "must be >0"),
    ("infer 1 -1", "must be >=0"), ("x" * 81, "too long"), ("y" * 5000, "too long")])
def test_what_cannot_be_obeyed_is_an_error_line(runner, command, error):
    there = runner("kws01")
    assert error in "".join(line for line in there.ask(command) if line.startswith("e-"))
    assert there.who()[1] == "kws01"


def test_digits_beyond_the_expected_bytes_and_odd_ones_write_nowhere(runner):
    there = runner("kws01")
    there.ask_right("db load 4")
    assert there.ask("db 0102zz") == ["e-[Invalid hex digit]"]
    assert there.ask("db 3") == ["e-[Invalid hex digit]"]
    assert there.ask("db " + "ff" * 38) == ["m-load-done"]
    assert there.ask("db " + "ee" * 38) == []
    assert there.ask("db print") == ["m-buffer-01-02-ff-ff"]
    with pytest.raises(ProtocolError, match="not whole"):
        there.infer()


def test_random_commands_end_in_m_ready_and_break_nothing(runner):
    there, rng = runner("kws01"), random.Random(4)
    words = ["db", "load", "print", "infer", "results", "name", "288", "1", "0", "-3", "ff00", "zz",
             "x" * 79, "  ", "4294967297", "\t", "help", "profile", "timestamp"]
    for _ in range(300):
        there.ask(" ".join(rng.choices(words, k=rng.randrange(1, 5))).replace("%", ""))
    sample = chosen(1)[0]
    there.load(sample.tobytes())
    assert close(there.infer().results, golden(sample))


def test_another_benchmark_is_refused_by_cmake():
    with pytest.raises(BuildFailed, match=re.escape("it may be kws01, vww01, ic01 or ad01")):
        firmware("kws99")
