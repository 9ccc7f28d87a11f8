"""The table of docs/boards.md, and that a project does not depend on where edgekit lies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import golden
import matrix

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


def test_two_checkouts_give_the_same_projects(tmp_path):
    """Only what is imported and read moves: edgekit, templates and boards."""
    here = golden.FILE.parents[2]
    for name in ("edgekit", "templates", "boards"):
        shutil.copytree(here / name, tmp_path / "elsewhere" / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(here / "pyproject.toml", tmp_path / "elsewhere")
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
