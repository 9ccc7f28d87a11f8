"""The STM32 boot loader's client against a fake ROM: right flash or a clear error, never less."""

from __future__ import annotations

import os
import random

import pytest

from edgekit.board import load_board
from edgekit.errors import DoesNotFit, EdgekitError, NotThere, UsageError
from edgekit.flashers import stm32, stm32_rom
from edgekit.flashers.job import Job, read_job
from fake_stm32 import ORIGIN, Fault, FakeStm32

BOARD = load_board("nucleo_l4r5zi")
IMAGE = random.Random(5).randbytes(1100) + b"\xff" * 600 + b"the end."
# `make serial-long` asks for 200.
FAULTS = int(os.environ.get("EDGEKIT_FLASH_FAULTS", 40))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A pty answers at once: wait for less."""
    monkeypatch.setattr(stm32_rom, "ANSWER_S", 0.08)
    monkeypatch.setattr(stm32_rom, "QUIET_S", 0.02)
    monkeypatch.setattr(stm32, "ERASE_S", 0.15)
    monkeypatch.setattr(stm32, "ERASE_KIB_S", 0.0)


def flash(chip, image=IMAGE):
    return stm32.flash(Job(BOARD, None, ORIGIN, image, chip.path, 115_200))


def test_the_image_is_written_over_old_firmware_and_started():
    with FakeStm32(used=bytes(6000)) as chip:
        assert flash(chip) == "read back"
        assert chip.flash[:len(IMAGE)] == IMAGE and chip.started_at == ORIGIN
        # Only the pages that it needs are erased.
        assert chip.flash[4096:6000] == bytes(6000 - 4096) and chip.erases == 1


@pytest.mark.parametrize("options, said", [
    ({"product_id": 0x421}, "product id 0x421 .STM32F446.; ST NUCLEO-L4R5ZI has 0x470"),
    ({"product_id": 0x999}, "product id 0x999 .a chip edgekit does not know"),
    ({"protected": True}, "is protected")])
def test_a_wrong_or_protected_chip_is_left_as_it_is(options, said):
    with FakeStm32(used=b"old firmware", **options) as chip:
        with pytest.raises(EdgekitError, match=f"{said}.*Nothing was erased") as caught:
            flash(chip)
        assert chip.flash[:12] == b"old firmware" and chip.erases == 0 and caught.value.hint


def test_an_image_that_is_too_big_is_refused_before_a_port_is_opened(tmp_path):
    file = tmp_path / "big.bin"
    file.write_bytes(bytes(BOARD.flash_size + 1))
    with pytest.raises(DoesNotFit, match="2,097,153 bytes; .* has 2,097,152"):
        read_job(file, BOARD, "/dev/none")


def test_silence_and_a_missing_port_are_said():
    with FakeStm32(fault=Fault("silence", 0)) as chip:
        with pytest.raises(EdgekitError, match="no STM32 boot loader answers") as caught:
            flash(chip)
        assert "BOOT0" in caught.value.hint
    with pytest.raises(NotThere):
        stm32.flash(Job(BOARD, None, ORIGIN, IMAGE, "/dev/edgekit-nowhere"))


@pytest.mark.parametrize("kind, said", [("unplug", "went away"), ("silence", "take commands")])
def test_a_cable_pulled_in_the_middle_leaves_an_incomplete_flash_and_says_so(kind, said):
    with FakeStm32(fault=Fault(kind, 900)) as chip:
        with pytest.raises(EdgekitError, match=f"{said}.*the flash is incomplete") as caught:
            flash(chip)
        assert caught.value.hint.startswith("run it again")


def test_a_board_without_that_boot_loader_is_refused():
    with pytest.raises(UsageError, match="not flashed through an STM32"):
        stm32.flash(Job(load_board("raspberry_pi_pico"), None, 0x1000_0000, IMAGE, "/dev/none"))


def fault_of(seed: int) -> Fault:
    rng = random.Random(seed)
    kind = rng.choice(("drop", "flip", "drop", "flip", "refuse"))
    direction = rng.choice(("host", "chip"))
    at = rng.randrange(40) if kind == "refuse" else rng.randrange(1, 2400)
    return Fault(kind, at, direction, rng.randrange(8))


@pytest.mark.parametrize("part", range(4))
def test_one_fault_anywhere_ends_with_right_flash_or_a_clear_error(part):
    ended = {"right": 0, "error": 0}
    for seed in range(part, FAULTS, 4):
        with FakeStm32(used=bytes(3000), fault=fault_of(seed)) as chip:
            try:
                flash(chip)
            except EdgekitError as error:
                assert error.message and error.hint, fault_of(seed)
                ended["error"] += 1
            else:
                assert chip.flash[:len(IMAGE)] == IMAGE, fault_of(seed)
                ended["right"] += 1
    # A single fault is no reason to give up.
    assert ended["error"] == 0, ended


def test_cells_that_do_not_erase_are_never_taken_for_right(monkeypatch):
    with FakeStm32() as chip:
        monkeypatch.setattr(chip, "_erase", lambda: (chip._put(b"\x79"), chip._take(5),
                                                     chip._put(b"\x79")))
        chip.flash[101] = 0
        with pytest.raises(EdgekitError, match="differs from the image after 3 attempts; the flash"):
            flash(chip)
