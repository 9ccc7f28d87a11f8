"""boards/*.toml and the reader that is strict about them."""

from __future__ import annotations

import pytest

from edgekit import resources, toolchains
from edgekit.board import board_names, load_board, read_board
from edgekit.errors import BadBoard

BOARD = """\
name = "tiny"
title = "Tiny"
port = "mps2"
toolchain = "arm-none-eabi"
forms = ["cmake"]
default_form = "cmake"

[cpu]
core = "cortex-m4"
isa = "armv7e-m"
clock_hz = 1_000_000

[[memory]]
name = "flash"
kind = "flash"
origin = 0
size = 1024
cache = { line = 16, data = 256 }

[[memory]]
name = "sram"
kind = "ram"
origin = 0x2000_0000
size = 512
"""


def board(tmp_path, text: str, name: str = "tiny"):
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read_board(path)


@pytest.mark.parametrize("name", board_names())
def test_every_board_loads_and_has_a_port_a_toolchain_and_a_library(name):
    loaded = load_board(name)
    assert "library" in loaded.forms
    # Xtensa's compiler comes with ESP-IDF alone.
    assert ("cmake" in loaded.forms) is (loaded.toolchain != "xtensa-esp-elf")
    port = resources.folder("templates") / "port" / loaded.port / "board.c"
    assert port.is_file() is ("cmake" in loaded.forms)
    assert loaded.sources, "facts need a source"
    assert all(chain.compiler and chain.cpu_flags for chain in toolchains.known(loaded)
               if loaded.toolchain != "host")
    assert len(toolchains.known(loaded)) >= 1
    hosted = toolchains.is_hosted(loaded)
    assert (loaded.ram_size == 0) is hosted and (loaded.flash_size == 0) is hosted
    assert hosted or loaded.serial.base
    assert loaded.emulated_as is None or load_board(loaded.emulated_as).toolchain.startswith(
        loaded.toolchain.split("-")[0])


@pytest.mark.parametrize("name", board_names())
def test_memories_of_a_board_do_not_overlap(name):
    spans = sorted((memory.origin, memory.origin + memory.size) for memory in load_board(name).memory)
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))


def test_a_board_file_becomes_values(tmp_path):
    loaded = board(tmp_path, BOARD)
    assert (loaded.flash_size, loaded.ram_size) == (1024, 512)
    assert loaded.memory[0].cache == (("data", 256), ("line", 16))
    assert loaded.serial is None and loaded.cpu.fpu is None
    assert hash(loaded) == hash(board(tmp_path, BOARD))


@pytest.mark.parametrize(("old", "new", "message", "hint"), [
    ("clock_hz =", "clok_hz =", "tiny.toml: cpu: unknown key 'clok_hz'", "did you mean 'clock_hz'?"),
    ('port =', 'poort =', "tiny.toml: unknown key 'poort'", "did you mean 'port'?"),
    ('title = "Tiny"\n', "", "tiny.toml: 'title' is missing", ""),
    ("1_000_000", '"fast"', "tiny.toml: cpu: clock_hz: expected int, got str", ""),
    ("1_000_000", "true", "tiny.toml: cpu: clock_hz: expected int, got bool", ""),
    ('forms = ["cmake"]', 'forms = "cmake"', "tiny.toml: forms: expected a list of strings", ""),
    ("origin = 0\n", 'origin = "0"\n', "tiny.toml: memory[0]: origin: expected int, got str", ""),
    ("{ line = 16, data = 256 }", "4", "tiny.toml: memory[0]: cache: expected a table, got int", ""),
    ('name = "tiny"', 'name = "other"', "tiny.toml: name is 'other'", "it must be 'tiny', as the file"),
    ('default_form = "cmake"', 'default_form = "zephyr"',
     "tiny.toml: default_form 'zephyr' is not in forms", ""),
    ("[cpu]", "[cpu", "tiny.toml: not valid TOML", ""),
])
def test_a_wrong_board_file_says_which_key_and_what_was_meant(tmp_path, old, new, message, hint):
    assert old in BOARD
    with pytest.raises(BadBoard) as caught:
        board(tmp_path, BOARD.replace(old, new, 1))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_one_memory_table_instead_of_a_list_is_a_wrong_type(tmp_path):
    text = BOARD[:BOARD.index("[[memory]]")] + '[memory]\nname = "flash"\n'
    with pytest.raises(BadBoard, match="expected \\[\\[memory\\]\\] tables, got dict"):
        board(tmp_path, text)


def test_a_board_file_that_is_not_there_is_an_error_of_the_board(tmp_path):
    with pytest.raises(BadBoard, match="none.toml cannot be read"):
        read_board(tmp_path / "none.toml")


def test_an_unknown_board_is_answered_with_near_names():
    with pytest.raises(BadBoard) as caught:
        load_board("nucleo_l4r5")
    assert "nucleo_l4r5zi" in caught.value.hint
