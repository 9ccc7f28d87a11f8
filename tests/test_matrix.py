"""The table of docs/boards.md, and that a project does not depend on where edgekit lies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import golden
import matrix
import pytest
from conftest import require_module, require_tool
from tiny_graphs import all_graphs

from edgekit import tflite_writer
from edgekit.board import board_names, load_board


def table() -> dict[tuple[str, str], tuple[str, str]]:
    """(board, form) -> what docs/boards.md says of aot and tflm."""
    return {(board, form): (aot, tflm) for board, form, aot, tflm in matrix.written()}


def test_the_table_has_every_board_and_form_and_says_that_each_was_checked():
    rows = table()
    wanted = {(name, form) for name in board_names() for form in load_board(name).forms}
    assert set(rows) == wanted, "python tests/matrix.py --write makes the table"
    for key, cells in rows.items():
        for cell in cells:
            assert cell in ("-", "generated") or set(cell) <= {*matrix.LEGEND, " ", "/"}, key
        assert cells != ("-", "-") and "!" not in "".join(cells)
    assert {key for key, (aot, _) in rows.items() if aot == "generated"} == set()


def test_boards_with_an_emulator_ran_their_self_test():
    for (name, form), (aot, _) in table().items():
        if form == "cmake":
            assert set(aot) & set("QUN"), name


def second_checkout(tmp_path):
    """(this one, a copy elsewhere) of what is imported and read: edgekit, templates and boards."""
    here = golden.FILE.parents[2]
    for name in ("edgekit", "templates", "boards"):
        shutil.copytree(here / name, tmp_path / "elsewhere" / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(here / "pyproject.toml", tmp_path / "elsewhere")
    return here, tmp_path / "elsewhere"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two_inputs", "tiny_network"])
def test_two_checkouts_give_the_same_elf_files(tmp_path, name):
    require_tool("arm-none-eabi-gcc")
    require_module("ziglang")
    model = tmp_path / f"{name}.tflite"
    model.write_bytes(tflite_writer.write(all_graphs()[name]))
    elves = []
    for number, root in enumerate(second_checkout(tmp_path)):
        for board, chain in (("nucleo_l4r5zi", "gcc"), ("raspberry_pi_pico", "zig")):
            # Of unequal lengths, so that a path in the file would show in its size too.
            folder = tmp_path / ("long" * number + "p") / board
            for words in (["generate", str(model), "--board", board, "--runtime", "aot", "--form",
                           "cmake", "-o", str(folder)],
                          ["build", str(folder), "--toolchain", chain]):
                subprocess.run([sys.executable, "-m", "edgekit", *words], check=True, cwd=root,
                               capture_output=True,
                               env={**os.environ, "PYTHONPATH": str(root),
                                    "PYTHONHASHSEED": str(number)})
            (elf,) = (folder / "build" / chain).glob("*.elf")
            elves.append(elf.read_bytes())
    assert elves[:2] == elves[2:]
    assert elves[0] != elves[1]


def test_two_checkouts_give_the_same_projects(tmp_path):
    here, _ = second_checkout(tmp_path)
    program = (f"import sys; sys.path.insert(0, {str(here / 'tests')!r})\n"
               "import golden, edgekit\n"
               "print(edgekit.__file__)\n"
               "for key, digest in sorted(golden.digests().items()): print(key, digest)")
    # golden.py finds its neighbours by its own place, but imports edgekit by the path.
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path / "elsewhere", check=True,
                          capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(tmp_path / "elsewhere"),
                               "PYTHONHASHSEED": "7"})
    where, *lines = done.stdout.splitlines()
    assert where.startswith(str(tmp_path))
    reviewed = json.loads(golden.FILE.read_text())
    assert lines == [f"{key} {digest}" for key, digest in sorted(reviewed.items())]
