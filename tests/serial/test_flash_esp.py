"""Unmodified esptool, driven by `edgekit flash`, against a fake ESP32-C3."""

from __future__ import annotations

import random
import time

import pytest

from conftest import require_tool
from edgekit import pipeline, tflite_writer, tools
from edgekit.board import load_board
from edgekit.errors import EdgekitError
from edgekit.flashers import esp
from edgekit.flashers.job import Job
from edgekit.flashing import flash
from edgekit.model import model_of
from fake_esp32c3 import S3, FakeEsp32C3
from tiny_graphs import network

NETWORK = model_of(tflite_writer.write(network()), "tiny_network")
BOARD = load_board("esp32c3")
ORIGIN = BOARD.memories("flash")[0].origin
IMAGE = random.Random(7).randbytes(9000) + b"\xc0\xdb" * 500


@pytest.fixture(autouse=True)
def esptool():
    require_tool("esptool")


def write(chip, image=IMAGE):
    return esp.flash(Job(BOARD, None, ORIGIN, image, chip.path, 115_200))


def test_esptool_writes_by_its_stub_and_the_chip_verifies():
    with FakeEsp32C3() as chip:
        chip.flash[:20000] = bytes(20000)
        assert write(chip) == "hash"
        assert chip.flash[:len(IMAGE)] == IMAGE and chip.stub and chip.data_packets > 0
        # Only the sectors that it needs are erased.
        assert chip.flash[12288:20000] == bytes(20000 - 12288)


def test_a_generated_firmware_arrives_whole(tmp_path):
    require_tool("riscv64-unknown-elf-gcc")
    pipeline.generate(NETWORK, "esp32c3", tmp_path / "p", runtime="aot", form="cmake")
    with FakeEsp32C3() as chip:
        result = flash(tmp_path / "p", port=chip.path)
        assert result["verified"] == "hash" and NETWORK.sha256.encode() in bytes(chip.flash)


@pytest.mark.parametrize("options, said", [
    ({"chip_id": S3}, "the chip is ESP32-S3, the firmware is for ESP32-C3. Nothing was erased"),
    ({"stuck": 5000}, "0 of 1 images verified.*the flash is incomplete"),
    pytest.param({"silent_after": 0}, "no ESP boot loader answers", marks=pytest.mark.slow),
    pytest.param({"silent_after": 60}, "incomplete|esptool ended", marks=pytest.mark.slow),
    ({"unplug_after": 60}, "incomplete|esptool ended"),
    ({"secure_download": True}, "secure download mode")])
def test_every_fault_is_a_message_and_a_bounded_wait(options, said):
    start = time.monotonic()
    with FakeEsp32C3(**options) as chip:
        chip.flash[:8] = b"old one."
        with pytest.raises(EdgekitError, match=said) as caught:
            write(chip)
        assert caught.value.hint and time.monotonic() - start < 90
        if "Nothing was erased" in caught.value.message:
            assert chip.erased == 0 and chip.flash[:8] == b"old one."


def test_a_refused_block_is_repeated():
    with FakeEsp32C3(refuse_data=1) as chip:
        assert write(chip) == "hash" and chip.flash[:len(IMAGE)] == IMAGE


def test_the_fake_is_driven_by_a_plain_esptool_too():
    """Without edgekit, and without the stub: the ROM's own dialect."""
    with FakeEsp32C3() as chip:
        chip.flash[:4] = b"abcd"
        done = tools.run([tools.require("esptool"), "--chip", "esp32c3", "--port", chip.path,
                          "--no-stub", "--before", "no-reset", "--after", "no-reset", "flash-id"])
        assert done.returncode == 0, done.stdout.decode()
        assert b"4MB" in done.stdout and not chip.stub
