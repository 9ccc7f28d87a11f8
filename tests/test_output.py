"""Projects on disk: all or nothing, and the user's files stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from edgekit.codegen import Project
from edgekit.errors import EdgekitError, UsageError
from edgekit.output import SUMS, _sweep, write_file, write_project

OLD = Project.of({"a.c": "old", "sub/b.c": "old b"})
NEW = Project.of({"a.c": "new", "c.c": "new c"})


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*")
            if p.is_file() and p.name != SUMS}


def test_a_project_is_replaced_and_files_of_the_user_stay(tmp_path):
    write_project(OLD, tmp_path / "p")
    (tmp_path / "p" / "mine.txt").write_text("mine")
    write_project(NEW, tmp_path / "p")
    assert tree(tmp_path / "p") == {"a.c": "new", "c.c": "new c", "mine.txt": "mine"}
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_an_edited_file_stops_it_unless_forced(tmp_path):
    write_project(OLD, tmp_path / "p")
    (tmp_path / "p" / "a.c").write_text("edited")
    with pytest.raises(UsageError, match="a.c"):
        write_project(NEW, tmp_path / "p")
    assert tree(tmp_path / "p")["a.c"] == "edited"
    write_project(NEW, tmp_path / "p", force=True)
    assert tree(tmp_path / "p")["a.c"] == "new"


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        write_project(NEW, tmp_path)
    assert tree(tmp_path) == {"x.txt": "x"}


def test_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="symbolic link"):
        write_project(NEW, tmp_path / "link")


def test_a_file_in_place_of_the_parent_is_an_error_not_a_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgekitError, match="could not be written"):
        write_project(NEW, tmp_path / "file" / "p")
    with pytest.raises(EdgekitError, match="could not be written"):
        write_file(tmp_path / "file" / "x.tflite", b"x")


LOOP = """
import sys
from pathlib import Path
from edgekit.codegen import Project
from edgekit.output import write_project
trees = [Project.of({f"f{i}.c": text * 2000 for i in range(40)}) for text in "ab"]
print("ready", flush=True)
while True:
    for tree in trees:
        write_project(tree, Path(sys.argv[1]))
"""


def test_a_kill_at_any_moment_leaves_one_whole_tree(tmp_path):
    target = tmp_path / "p"
    write_project(Project.of({f"f{i}.c": "a" * 2000 for i in range(40)}), target)
    for round in range(12):
        process = subprocess.Popen([sys.executable, "-c", LOOP, str(target)],
                                   stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.02 + 0.007 * round)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        write_file(tmp_path / "unrelated", b"")
        _sweep(target)
        assert len(set(tree(target).values())) == 1 and len(tree(target)) == 40
        assert sorted(p.name for p in tmp_path.iterdir()) == ["p", "unrelated"]
