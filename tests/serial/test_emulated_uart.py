"""The generated firmware on emulated boards, talked to through its UART by frames."""

from __future__ import annotations

import pytest

from conftest import require_module, require_tool
from edgekit import pipeline, targets, tflite_writer, toolchains
from edgekit.board import load_board
from edgekit.emulators.framed import open_framed
from edgekit.errors import EmulationFault, UsageError
from edgekit.firmware import Firmware
from edgekit.model import model_of
from firmware_process import MISTAKE, build
from tiny_graphs import all_graphs

MODELS = {name: model_of(tflite_writer.write(graph), name) for name, graph in all_graphs().items()}
NETWORK = MODELS["tiny_network"]
slow = pytest.mark.slow


def needs(board: str, *modules: str) -> None:
    for module in (*modules, "elftools"):
        require_module(module)
    chosen = targets.emulated(load_board(board))
    if not toolchains.available(chosen):
        require_tool(toolchains.gcc(chosen).compiler)


@pytest.mark.parametrize("board", [
    "nucleo_l4r5zi", "esp32c3", "raspberry_pi_pico", "raspberry_pi_4",
    *(pytest.param(board, marks=slow) for board in (
        "nucleo_f446re", "nrf52840_dk", "raspberry_pi_pico_2", "esp32c6", "mps2_an385",
        "mps2_an505", "qemu_riscv32"))])
def test_every_boards_uart_carries_the_link_in_unicorn(board):
    needs(board, "unicorn", "capstone")
    verdict = pipeline.validate(NETWORK, board, engine="unicorn", link="frames", count=6)
    assert verdict["ok"] and verdict["target"] == "unicorn, by frames"
    # An emulator's clock measures nothing.
    assert verdict["device"] is None and verdict["elements"] > 0


@pytest.mark.parametrize("board", ["mps2_an386", *(pytest.param(board, marks=slow) for board in (
    "nucleo_f446re", "qemu_riscv32", "raspberry_pi_4", "mps3_an547"))])
def test_qemu_has_the_uart_on_a_pty(board):
    needs(board)
    require_tool("qemu-system-arm")
    verdict = pipeline.validate(NETWORK, board, engine="qemu", count=6)
    assert verdict["ok"] and verdict["target"] == "qemu, by frames"


def test_a_project_is_talked_to_as_it_is(tmp_path):
    needs("mps2_an386", "unicorn", "capstone")
    pipeline.generate(NETWORK, "mps2_an386", tmp_path / "p", runtime="aot", form="cmake")
    kernel = tmp_path / "p" / MISTAKE[0]
    kernel.write_bytes(kernel.read_bytes().replace(*MISTAKE[1:]))
    verdict = pipeline.validate(tmp_path / "p", engine="unicorn", link="frames", count=3)
    assert not verdict["ok"] and verdict["first"]["kernel"] == "mean_s8"


def test_frames_and_memory_give_the_same_verdict():
    needs("mps2_an386", "unicorn", "capstone")
    model = MODELS["two_inputs"]
    by = {link: pipeline.validate(model, "mps2_an386", engine="unicorn", link=link, count=4)
          for link in ("frames", "memory")}
    assert by["frames"]["ok"] and by["memory"]["ok"]
    assert by["frames"]["elements"] == by["memory"]["elements"]


def test_an_engine_without_a_uart_is_refused():
    with pytest.raises(UsageError, match="native has no UART"):
        pipeline.validate(NETWORK, "linux_host", target="native", link="frames")


@pytest.mark.parametrize("engine", ["unicorn", "qemu"])
def test_firmware_that_ends_while_the_host_talks_is_said(engine):
    needs("mps2_an386", "unicorn", "capstone")
    if engine == "qemu":
        require_tool("qemu-system-arm")
    elf = build(NETWORK, "mps2_an386", change=(
        "app/link.c", b"    const int status = model->invoke();\n",
        b"    board_exit(1);\n    const int status = model->invoke();\n"))
    with pytest.raises(EmulationFault, match="ended with code"):
        with open_framed(engine, Firmware(elf, "gcc", 0, 0, 0), load_board("mps2_an386")) as link:
            link.load(tuple(bytes(size) for size in link.hello().input_bytes))
            link.infer()
