"""UF2 files, read back."""

from __future__ import annotations

import pytest
from conftest import require_tool
from tiny_model import SELFTEST, tiny

from edgekit import toolchains, uf2
from edgekit.board import load_board
from edgekit.builders import cmake
from edgekit.elf import read_image
from edgekit.errors import EdgekitError, UsageError

FAMILY = {"raspberry_pi_pico": 0xE48B_FF56, "raspberry_pi_pico_2": 0xE48B_FF59}


@pytest.mark.parametrize("name", FAMILY)
def test_a_build_for_a_pico_gives_the_elfs_bytes_as_uf2(tmp_path, name):
    board = load_board(name)
    if not toolchains.available(board):
        require_tool("arm-none-eabi-gcc")
    cmake.project(tiny(flash=1000), SELFTEST, board).write(tmp_path)
    firmware = cmake.build(tmp_path, board)
    assert firmware.image == firmware.elf.with_suffix(".uf2")
    blocks = uf2.unpack(firmware.image.read_bytes())
    assert {block.family for block in blocks} == {FAMILY[name]}
    assert [block.number for block in blocks] == list(range(len(blocks)))
    assert {block.count for block in blocks} == {len(blocks)}
    assert blocks[0].address == 0x1000_0000
    assert [block.address % 256 for block in blocks] == [0] * len(blocks)
    memory = {block.address + i: byte for block in blocks for i, byte in enumerate(block.data)}
    segments = read_image(firmware.elf)
    assert sum(len(data) for _, data in segments) > 1000
    for address, data in segments:
        assert bytes(memory[address + i] for i in range(len(data))) == data


def test_segments_in_one_page_share_a_block_and_gaps_between_pages_stay_out():
    data = uf2.pack([(0x1000_0010, b"ab"), (0x1000_00FF, b"cd"), (0x1000_1000, b"e")], 7)
    blocks = uf2.unpack(data)
    assert [(b.address, b.number, b.count) for b in blocks] == [
        (0x1000_0000, 0, 3), (0x1000_0100, 1, 3), (0x1000_1000, 2, 3)]
    assert blocks[0].data == bytes(16) + b"ab" + bytes(237) + b"c" and blocks[1].data[:1] == b"d"
    assert len(data) == 3 * 512


@pytest.mark.parametrize(("at", "said"), [(0, "block 0 is damaged"), (508, "block 0 is damaged"),
                                          (20, "block 0 says it is"), (512 + 24, "block 1 says")])
def test_a_damaged_file_is_refused(at, said):
    data = bytearray(uf2.pack([(0, bytes(512))], 7))
    data[at] ^= 0x80
    with pytest.raises(EdgekitError, match=said):
        uf2.unpack(bytes(data))
    with pytest.raises(EdgekitError, match="multiple of 512"):
        uf2.unpack(bytes(data[:-1]))


def test_a_board_whose_rom_takes_no_uf2_is_a_usage_error():
    assert uf2.family("rp2350") == 0xE48B_FF59
    with pytest.raises(UsageError, match="takes no UF2"):
        uf2.family("stm32l4")
