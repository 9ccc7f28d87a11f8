"""`edgekit ports` and `edgekit monitor`."""

from __future__ import annotations

import json
import struct
from types import SimpleNamespace

import pytest

from edgekit import cli, monitoring, tflite_writer
from edgekit.board import load_board
from edgekit.errors import NotThere, UsageError
from edgekit.frames import Frame, Noise, Refusal, Text, Type, encode
from edgekit.model import model_of
from edgekit.port_list import find_port
from firmware_process import build, running
from tiny_graphs import network

NETWORK = model_of(tflite_writer.write(network()), "tiny_network")


def plugged(monkeypatch, *ports):
    """Have these (device, vid, pid, description) in the machine."""
    from serial.tools import list_ports
    monkeypatch.setattr(list_ports, "comports", lambda: [SimpleNamespace(
        device=device, vid=vid, pid=pid, description=text) for device, vid, pid, text in ports])


ST_LINK = ("/dev/ttyACM1", 0x0483, 0x374B, "STM32 STLink")
ADAPTER = ("/dev/ttyUSB0", 0x10C4, 0xEA60, "CP2102 USB to UART")
ONBOARD = ("/dev/ttyS0", None, None, "n/a")


def test_ports_are_listed_with_the_boards_that_have_their_usb_id(monkeypatch, capsys):
    plugged(monkeypatch, ST_LINK, ADAPTER, ONBOARD)
    assert cli.main(["ports", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["ports"]
    assert [row["port"] for row in rows] == ["/dev/ttyACM1", "/dev/ttyS0", "/dev/ttyUSB0"]
    assert "nucleo_l4r5zi" in rows[0]["boards"] and rows[0]["usb"] == "0483:374b"
    assert rows[1] == {"port": "/dev/ttyS0", "description": "", "usb": None, "boards": []}
    assert cli.main(["ports"]) == 0 and "STM32 STLink" in capsys.readouterr().out


def test_no_port_is_said(monkeypatch, capsys):
    plugged(monkeypatch)
    assert cli.main(["ports"]) == 0 and "no serial port" in capsys.readouterr().out


def test_the_port_is_found_where_only_one_fits(monkeypatch):
    plugged(monkeypatch, ST_LINK, ADAPTER, ONBOARD)
    assert find_port(load_board("nucleo_l4r5zi")) == "/dev/ttyACM1"
    assert find_port(load_board("raspberry_pi_pico")) == "/dev/ttyUSB0"  # has no USB id of its own


def test_no_port_is_exit_6_and_several_are_a_question(monkeypatch):
    plugged(monkeypatch, ONBOARD)
    with pytest.raises(NotThere, match="no serial port of ST NUCLEO-L4R5ZI"):
        find_port(load_board("nucleo_l4r5zi"))
    plugged(monkeypatch, ST_LINK, ("/dev/ttyACM2", *ST_LINK[1:]))
    with pytest.raises(UsageError, match="2 serial ports fit .*ttyACM1, /dev/ttyACM2"):
        find_port(load_board("nucleo_l4r5zi"))


@pytest.mark.parametrize("item, shown", [
    (Text("one\r\ntwo\n"), ["one", "two"]),
    (Noise(b"\x01\x02"), ["[2 bytes of noise: 01 02]"]),
    (Noise(bytes(20)), ["[20 bytes of noise: " + "00 " * 16 + "...]"]),
    (Frame(Type.LOAD, 7, bytes(9)), ["[LOAD 7: 9 bytes]"]),
    (Frame(Type.BYE + Type.REPLY, 8, b""), ["[BYE reply 8]"]),
    (Frame(0x33, 8, b""), ["[type 35 reply 8]"]),
    (Frame(Type.ERROR, 9, bytes((Refusal.INPUTS, Type.INFER))), ["[ERROR 9: INFER refused, INPUTS]"]),
    (Frame(Type.HELLO + Type.REPLY, 0, b"\x01"), [
        "[HELLO reply 0: the firmware's HELLO is not one of edgekit's: "
        "unpack_from requires a buffer of at least 12 bytes for unpacking 12 bytes at offset 0 "
        "(actual buffer size is 1)]"])])
def test_frames_text_and_noise_are_shown(item, shown):
    assert list(monitoring.describe(item)) == shown


def test_the_monitor_shows_the_log_and_who_is_there(capsys):
    hello = struct.pack("<BBHHIBB2I", 1, 1, 512, 7, 25_000_000, 1, 1, 288, 3)
    hello += NETWORK.sha256.encode() + b"mps2_an386"
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        wire.chatter(b"temperature 21\n" + encode(Frame(Type.HELLO + Type.REPLY, 0, hello)), 0.1)
        assert cli.main(["monitor", wire.path, "--seconds", "2"]) == 0
    out = capsys.readouterr().out
    assert "temperature 21\n" in out
    assert f"[HELLO reply 0: board mps2_an386, model {NETWORK.sha256[:16]}, 288 bytes in" in out


def test_a_prompt_without_a_line_end_is_shown_too(capsys):
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        wire.chatter(b"login: ", 0.9)
        assert cli.main(["monitor", wire.path, "--seconds", "1.6", "--json"]) == 0
    assert "login: " in json.loads(capsys.readouterr().out)["lines"]
