"""`edgekit validate --boards fleet.toml`: several boards at once, one table."""

from __future__ import annotations

import json
import threading

import pytest

from conftest import require_tool
from edgekit import cli, fleet, tflite_writer
from edgekit.errors import UsageError
from edgekit.flashers import stm32, stm32_rom
from edgekit.model import model_of
from fake_stm32 import FakeStm32
from firmware_process import MISTAKE, build, running
from remote import rfc2217_server
from tiny_graphs import network

NETWORK = model_of(tflite_writer.write(network()), "tiny_network")


@pytest.fixture
def file(tmp_path):
    (tmp_path / "tiny_network.tflite").write_bytes(NETWORK.data)

    def write(*entries: dict):
        text = "".join("[[board]]\n" + "".join(f"{key} = {json.dumps(value)}\n"
                                               for key, value in entry.items()) for entry in entries)
        (tmp_path / "fleet.toml").write_text(text)
        return tmp_path / "fleet.toml"
    return write


def run(file, capsys, *options) -> tuple[int, dict]:
    code = cli.main(["validate", str(file.parent / "tiny_network.tflite"), "--boards", str(file),
                     "--json", *options])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.filterwarnings("ignore:set(Daemon|Name).. is deprecated")  # pyserial's own
def test_boards_are_validated_at_once_and_a_failure_is_its_rows_alone(file, capsys, monkeypatch):
    monkeypatch.setattr("edgekit.greeting.HELLO_S", 0.8)
    right, wrong = (build(NETWORK, "linux_host", change=change) for change in (None, MISTAKE))
    with running("linux_host", right) as one, running("linux_host", right) as two, \
            running("linux_host", wrong) as bad, running("linux_host", right) as silent:
        silent.mute = True
        with rfc2217_server(two.path) as place:
            shared = {"board": "linux_host", "flash": False}
            code, result = run(file(
                {"name": "here", "port": one.path, **shared},
                {"name": "remote", "port": f"rfc2217://{place}", **shared},
                {"name": "wrong", "port": bad.path, **shared},
                {"name": "silent", "port": silent.path, **shared},
                {"name": "missing", "port": "/dev/edgekit-nowhere", **shared}),
                capsys, "--samples", "4")
    rows = {row["name"]: row for row in result["boards"]}
    assert list(rows) == ["here", "remote", "wrong", "silent", "missing"]
    assert [row["ok"] for row in rows.values()] == [True, True, False, False, False]
    assert [row["error"] and row["error"]["exit"] for row in rows.values()] == [None, None, 3, 1, 6]
    assert rows["wrong"]["verdict"]["first"]["kernel"] == "mean_s8" and not result["ok"]
    assert code == 3  # the first failure's


def test_a_table_and_a_sentence_for_each_failure_are_printed(file, capsys):
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        path = file({"name": "here", "board": "linux_host", "port": wire.path, "flash": False},
                    {"name": "gone", "board": "linux_host", "port": "/dev/edgekit-no", "flash": False})
        code = cli.main(["validate", str(path.parent / "tiny_network.tflite"), "--boards", str(path)])
    out, err = capsys.readouterr()
    assert code == 6 and "1 of 2 boards failed; gone: /dev/edgekit-no is not there" in err
    assert [line.split()[:4] for line in out.splitlines()[2:]] == [
        ["here", "linux_host", "-", "equal"], ["gone", "linux_host", "-", "not_there"]]


def test_a_board_is_built_flashed_verified_and_then_validated(file, capsys, monkeypatch):
    """The generated firmware goes into a boot loader's flash; a twin of it answers on the UART."""
    require_tool("arm-none-eabi-gcc")
    monkeypatch.setattr(stm32_rom, "QUIET_S", 0.02)
    monkeypatch.setattr(stm32, "ERASE_KIB_S", 0.0)
    twin = build(NETWORK, "linux_host", change=(
        "board/board.h", b'BOARD_NAME "linux_host"', b'BOARD_NAME "nucleo_l4r5zi"'))
    with FakeStm32() as chip, running("linux_host", twin) as wire:
        code, result = run(file({"board": "nucleo_l4r5zi", "port": wire.path, "by": "stm32",
                                 "flash_port": chip.path}), capsys, "--samples", "2")
        assert code == 0 and NETWORK.sha256.encode() in bytes(chip.flash)
    (row,) = result["boards"]
    assert row["flashed"] == "read back" and row["ok"]


def test_all_boards_are_at_work_at_the_same_time(monkeypatch):
    everybody = threading.Barrier(4, timeout=20)

    def wait(*_, **__):
        everybody.wait()
        return {"ok": True}
    monkeypatch.setattr("edgekit.pipeline.validate", wait)
    members = [fleet.Member("linux_host", f"/dev/{i}", str(i), flash=False) for i in range(4)]
    assert fleet.validate(NETWORK, members)["ok"]


@pytest.mark.parametrize("entry, said", [
    ({"board": "linux_host"}, "'port' is missing"),
    ({"board": "linux_host", "port": "/dev/x", "bord": 1}, "unknown key 'bord'"),
    ({"board": "linux_host", "port": 3}, "port is int, str is expected"),
    ({"board": "linux_host", "port": "/dev/x", "flash": 1}, "flash is int, bool is expected"),
    ({"board": "linux_host", "port": "/dev/x", "by": "magic"}, "unknown way 'magic'"),
    ({"board": "linux_hots", "port": "/dev/x"}, "there is no board 'linux_hots'")])
def test_a_wrong_fleet_file_is_exit_2_with_the_key(file, capsys, entry, said):
    code, error = run(file(entry), capsys)
    assert code == 2 and said in error["message"]


def test_a_port_belongs_to_one_board_and_a_file_has_boards(file, tmp_path):
    same = {"board": "linux_host", "port": "/dev/x"}
    with pytest.raises(UsageError, match="port /dev/x is there twice"):
        fleet.read_fleet(file({**same, "name": "a"}, {**same, "name": "b"}))
    for text in ("", "board = 1", "x = 2\n[[board]]\n", "[[board"):
        (tmp_path / "f.toml").write_text(text)
        with pytest.raises(UsageError):
            fleet.read_fleet(tmp_path / "f.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        fleet.read_fleet(tmp_path / "none.toml")
