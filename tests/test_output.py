"""Projects on disk: all or nothing, and the user's files stay."""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import golden
import pytest
from tiny_graphs import all_graphs

import edgekit
from edgekit import tflite_writer
from edgekit.builders import forms
from edgekit.codegen import Project
from edgekit.errors import EdgekitError, UsageError
from edgekit.model import model_of
from edgekit.output import SUMS, _sweep, write_file, write_project
from edgekit.runtimes import tflm

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


def test_a_file_of_the_users_in_the_place_of_a_generated_one_stops_it_unless_forced(tmp_path):
    write_project(OLD, tmp_path / "p")
    (tmp_path / "p" / "c.c").write_text("mine")
    with pytest.raises(UsageError, match="c.c is a file of yours"):
        write_project(NEW, tmp_path / "p")
    assert tree(tmp_path / "p") == {"a.c": "old", "sub/b.c": "old b", "c.c": "mine"}
    write_project(NEW, tmp_path / "p", force=True)
    assert tree(tmp_path / "p") == {"a.c": "new", "c.c": "new c"}


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


# One board of each form.
FORMS = {"cmake": "mps2_an386", "library": "linux_host", "esp-idf": "esp32c3",
         "pico-sdk": "raspberry_pi_pico", "zephyr": "nrf52840_dk", "arduino": "esp32",
         "platformio": "nucleo_f446re", "python": "raspberry_pi_4"}


def test_every_form_has_its_board_below():
    assert set(FORMS) == set(forms.FORMS)


def generated(folder, form: str, name: str, **options) -> None:
    """By the command's own function; aot code, where the form takes it."""
    edgekit.generate(model(name), FORMS[form], folder, form=form, name=name,
                     runtime="tflm" if form == "python" else "aot", **options)


@functools.cache
def model(name: str):
    return model_of(tflite_writer.write(all_graphs()["two_inputs"]), name)


@pytest.fixture
def without_the_wheel(monkeypatch):
    """The arena of a tflm model is measured for a second; any number does here."""
    monkeypatch.setattr(tflm, "arena_need", lambda *_: golden.FIXED_NEED)


@pytest.mark.parametrize("form", FORMS)
def test_edits_of_any_generated_file_of_any_form_survive(tmp_path, form, without_the_wheel):
    folder = tmp_path / "p"
    generated(folder, form, "first")
    fresh = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    (folder / "mine/deep").mkdir(parents=True)
    (folder / "mine/deep/sensor.c").write_text("mine")
    (folder / "added.link").symlink_to("nowhere")
    (folder / "mine/run.sh").write_text("#!/bin/sh\n")
    (folder / "mine/run.sh").chmod(0o755)
    for path, data in fresh.items():
        if path.name == SUMS:
            continue
        (folder / path).write_bytes(data + b"edited")
        with pytest.raises(UsageError, match=re.escape(path.as_posix())):
            generated(folder, form, "first")
        assert (folder / path).read_bytes() == data + b"edited"
        (folder / path).write_bytes(data)

    edited, gone = sorted(path for path in fresh if path.suffix in (".c", ".py"))[0], Path("README.md")
    (folder / edited).write_bytes(b"edited")
    (folder / gone).unlink()
    generated(folder, form, "first", force=True)
    assert {path: (folder / path).read_bytes() for path in fresh} == fresh
    assert (folder / "mine/deep/sensor.c").read_text() == "mine"
    assert os.readlink(folder / "added.link") == "nowhere"
    assert (folder / "mine/run.sh").stat().st_mode & 0o111
    assert [p.name for p in tmp_path.iterdir()] == ["p"], "nothing is left beside the project"


@pytest.mark.parametrize("form", FORMS)
def test_another_model_takes_its_predecessors_files_away_and_leaves_the_users(
        tmp_path, form, without_the_wheel):
    generated(tmp_path / "p", form, "first")
    (tmp_path / "p/model").mkdir(exist_ok=True)
    (tmp_path / "p/model/mine.c").write_text("mine")
    generated(tmp_path / "p", form, "second")
    names = [p.relative_to(tmp_path / "p").as_posix() for p in (tmp_path / "p").rglob("*")]
    assert not [name for name in names if "first" in name]
    assert [name for name in names if "second" in name]
    assert (tmp_path / "p/model/mine.c").read_text() == "mine"
