"""edgekit.toml and EDGEKIT_*: what stands in front of a typed command, and `edgekit run`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conftest import require_module, require_tool
from edgekit import tflite_writer
from edgekit.arguments import parser
from edgekit.cli import main
from edgekit.errors import UsageError
from edgekit.running import steps
from edgekit.settings import beforehand, load
from tiny_graphs import all_graphs

GRAMMAR = parser().grammar


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder with a model, and nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("BOARD", "RUNTIME", "MAX_RAM", "LOCKED"):
        monkeypatch.delenv(f"EDGEKIT_{name}", raising=False)
    (tmp_path / "m.tflite").write_bytes(tflite_writer.write(all_graphs()["tiny_network"]))
    return tmp_path


def write(folder: Path, text: str) -> Path:
    (folder / "edgekit.toml").write_text(text)
    return folder / "edgekit.toml"


def test_the_order_is_command_line_environment_file(here, monkeypatch):
    write(here, 'board = "esp32c3"\n[profile]\nruntime = "tflm"\nmax-ram = "64K"\n')
    assert beforehand(["profile", "m.tflite"], GRAMMAR) == [
        "profile", "--board=esp32c3", "--runtime=tflm", "--max-ram=64K", "m.tflite"]
    monkeypatch.setenv("EDGEKIT_RUNTIME", "aot")
    monkeypatch.setenv("EDGEKIT_LOCKED", "1")
    assert parser().parse_args(beforehand(["profile", "m.tflite", "--board", "esp32"], GRAMMAR)
                               ).__dict__.items() >= {
        "board": "esp32", "runtime": "aot", "max_ram": 65536, "locked": True}.items()
    assert beforehand(["inspect", "m.tflite"], GRAMMAR) == ["inspect", "m.tflite"]


def test_a_required_option_may_come_from_the_file(here, capsys):
    write(here, 'board = "esp32c3"\n')
    assert main(["check", "m.tflite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["board"] == "esp32c3"


@pytest.mark.parametrize("text, message", [
    ('bord = "x"', "unknown key 'bord'.*did you mean 'board'"),
    ("[profil]", "unknown section 'profil'.*did you mean 'profile'"),
    ("[prune]\nrat = 1", r"unknown key in \[prune\] 'rat'.*did you mean 'rate'"),
    ("board = 2020-01-01", "board is date"), ("board =", "not valid TOML"),
    ("[profile]\nlocked = 'maybe'", "locked is 'maybe'"),
])
def test_a_wrong_file_names_what_is_wrong_in_it(here, text, message):
    write(here, text)
    with pytest.raises(UsageError) as error:
        beforehand(["profile", "m.tflite"], GRAMMAR)
    assert re.search(message, f"{error.value.message} {error.value.hint}")


def test_a_wrong_value_is_judged_as_if_it_were_typed(here, monkeypatch, capsys):
    monkeypatch.setenv("EDGEKIT_RUNTIME", "tflite")
    assert main(["profile", "m.tflite"]) == 2
    assert "invalid choice: 'tflite'" in capsys.readouterr().err


def test_a_keras_models_steps_hand_on_what_they_made(here):
    path = write(here, 'model = "my net.keras"\nboard = "esp32c3"\ndata = "train.npz"\n'
                 'validation = "test.npz"\n[prune]\nrate = 0.5\n[quantize]\nbits = ["3", "c*=4"]\n'
                 "[profile]\n")
    assert [" ".join(words) for words in steps(load(path, GRAMMAR), GRAMMAR)] == [
        "prune my net.keras --out=build/pruned/my_net.keras --data=train.npz "
        "--validation=test.npz --rate=0.5",
        "quantize build/pruned/my_net.keras --out=build/int8/my_net.tflite --data=train.npz "
        "--validation=test.npz "
        "--bits=3 --bits=c*=4",
        "check build/int8/my_net.tflite --board=esp32c3",
        "generate build/int8/my_net.tflite --out=build/firmware --board=esp32c3",
        "validate build/int8/my_net.tflite --board=esp32c3 --data=test.npz",
        "profile build/int8/my_net.tflite --board=esp32c3"]


def test_run_runs_a_project_from_anywhere(here, monkeypatch, capsys):
    require_module("unicorn")
    require_tool("arm-none-eabi-gcc")
    write(here, 'model = "m.tflite"\nboard = "nucleo_l4r5zi"\n[generate]\nruntime = "aot"\n'
          "[build]\n[validate]\nsamples = 2\n")
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert main(["run", "../edgekit.toml", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [step["schema"].removeprefix("edgekit.") for step in result["steps"]] == [
        "check", "generate", "build", "validate"]
    assert (here / "build" / "firmware" / "CMakeLists.txt").is_file() and result["ok"]


def test_run_ends_at_the_first_step_that_fails_with_its_code(here, capsys):
    write(here, 'model = "m.tflite"\nboard = "esp32c3"\n[profile]\nruntime = "aot"\nmax-flash = 1\n'
          '[validate]\nengine = "reference"\nsamples = 1\n')
    require_module("unicorn")
    require_tool("riscv64-unknown-elf-gcc")
    assert main(["run"]) == 4
    out, err = capsys.readouterr()
    assert "validate\n" in out and "error: " in err


def test_run_says_what_a_project_lacks(here, capsys):
    assert main(["run"]) == 2
    write(here, 'board = "esp32c3"\n')
    assert main(["run"]) == 2
    err = capsys.readouterr().err
    assert "edgekit.toml cannot be read" in err and "there is no model in it" in err
