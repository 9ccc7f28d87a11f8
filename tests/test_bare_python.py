"""Without the optional packages, without compilers, and without TensorFlow: what must still work.

A child Python sees a folder of links to chosen packages instead of the real site-packages, and
an empty PATH.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgekit import tflite_writer
from tiny_graphs import network

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("numpy", "numpy.libs", "jinja2", "markupsafe", "serial")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """bare(words...) -> (exit code, stdout, stderr) of edgekit with three packages only."""
    site = tmp_path_factory.mktemp("site")
    source = Path(importlib.util.find_spec("numpy").origin).parent.parent
    for name in NEEDED:
        if (source / name).exists():
            (site / name).symlink_to(source / name)
    environment = {"PATH": str(site), "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]),
                   "HOME": str(site)}

    def call(*words, cwd):
        # -S: no site-packages of this Python.
        done = subprocess.run([sys.executable, "-S", "-m", "edgekit", *map(str, words)], cwd=cwd,
                              env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return call


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tflite_writer.write(network()))
    return path


@pytest.mark.parametrize("board", ["nucleo_l4r5zi", "esp32c3", "raspberry_pi_4"])
@pytest.mark.parametrize("runtime", ["aot", "tflm"])
def test_projects_of_all_families_are_generated(bare, tiny, tmp_path, board, runtime):
    code, _, err = bare("generate", tiny, "--board", board, "--runtime", runtime, "-o", "p",
                        cwd=tmp_path)
    assert code == 0, err
    assert (tmp_path / "p/edgekit.json").is_file()


def test_inspect_and_check_and_validation_by_the_reference_work(bare, tiny, tmp_path):
    assert bare("inspect", tiny, cwd=tmp_path)[0] == 0
    assert bare("check", tiny, "--board", "esp32c3", cwd=tmp_path)[0] == 0
    code, out, _ = bare("validate", tiny, "--board", "nucleo_l4r5zi", "--json", cwd=tmp_path)
    verdict = json.loads(out)
    assert code == 0 and verdict["ok"] and verdict["target"] == verdict["golden"] == "reference"
    assert "golden_is_reference" in [entry["code"] for entry in verdict["issues"]]


def test_emulate_works_by_the_reference(bare, tiny, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 12, 12, 2), np.int8))
    assert bare("emulate", tiny, "--board", "nucleo_l4r5zi", "--input", "x.npy", "-o", "y.npy",
                cwd=tmp_path)[0] == 0
    assert np.load(tmp_path / "y.npy").shape == (2, 3)


def test_a_static_profile_gives_what_is_known_and_says_why_the_rest_is_not(bare, tiny, tmp_path):
    code, out, _ = bare("profile", tiny, "--board", "nucleo_l4r5zi", "--runtime", "aot", "--json",
                        cwd=tmp_path)
    profile = json.loads(out)
    assert code == 0
    assert profile["ram"]["arena"] > 0 and profile["flash"]["weights"] > 0
    assert profile["flash"]["total"] is None and profile["time"]["instructions"] is None
    assert "arm-none-eabi-gcc" in profile["issues"][0]["message"]


@pytest.mark.parametrize(("words", "missing"), [
    (("validate", "tiny.tflite", "--board", "linux_host", "--target", "native"), "c compiler"),
    (("validate", "tiny.tflite", "--board", "nucleo_l4r5zi", "--engine", "unicorn"), "zig"),
    (("emulate", "tiny.tflite", "--board", "linux_host", "--runtime", "tflm", "--input", "x.npy",
      "-o", "y.npy"), "tflite-micro"),
    (("prune", "m.keras", "--rate", "0.5", "-o", "o.keras"), "tensorflow"),
])
def test_what_is_missing_is_exit_6_by_name(bare, tiny, tmp_path, words, missing):
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 12, 2), np.int8))
    (tmp_path / "m.keras").write_bytes(b"PK")
    code, _, err = bare(*words, cwd=tmp_path)
    assert code == 6 and missing in err.lower() and "hint: " in err
