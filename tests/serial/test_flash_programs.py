"""esptool, pyocd and ssh through programs that answer as they do; a UF2 drive that is a folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import threading
import time
from pathlib import Path

import pytest

from conftest import require_tool
from edgekit import cli, pipeline, tflite_writer, toolchains, uf2
from edgekit.board import load_board
from edgekit.errors import DoesNotFit, EdgekitError, NotThere, UsageError
from edgekit.flashers import uf2 as uf2_flasher
from edgekit.flashing import flash
from edgekit.model import model_of
from firmware_process import build, running
from tiny_graphs import all_graphs, network

NETWORK = model_of(tflite_writer.write(network()), "tiny_network")
IMAGE = bytes(i * 7 % 251 for i in range(5000))


@pytest.fixture
def image(tmp_path) -> Path:
    file = tmp_path / "firmware.bin"
    file.write_bytes(IMAGE)
    return file


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a Python program of this name first on PATH; it appends its arguments to calls.txt."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name: str, body: str) -> Path:
        import sys
        file = folder / name
        file.write_text(f"#!{sys.executable}\nimport sys, pathlib\na = sys.argv[1:]\n"
                        f"open({str(folder / 'calls.txt')!r}, 'a').write(' '.join(a) + '\\n')\n{body}")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return folder / "calls.txt"
    import os
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return put


# ---------------------------------------------------------------- esptool

ESPTOOL = """
if a == ['version']:
    print('esptool v{version}\\n{version}'); sys.exit(0)
print('''{said}''')
sys.exit({code})
"""
GOOD = """Chip type: ESP32-C3
Writing at 0x00000000 [====] 50.0% 2500/5000 bytes...
Writing at 0x00001388 [====] 100.0% 5000/5000 bytes...
Wrote 5000 bytes (3000 compressed) at 0x00000000
Hash of data verified.
Hard resetting via RTS pin..."""


def esptool(program, said=GOOD, code=0, version="5.6.0"):
    return program("esptool", ESPTOOL.format(said=said, code=code, version=version))


def test_a_bare_image_goes_to_the_beginning_of_an_esp32s_flash(program, image):
    calls = esptool(program)
    result = flash(image, "esp32c3", port="/dev/ttyACM0", baud=115200)
    assert result["verified"] == "hash" and result["sha256"] == hashlib.sha256(IMAGE).hexdigest()
    words = calls.read_text().splitlines()[1].split()
    assert words[:-2] == ("--chip esp32c3 --port /dev/ttyACM0 --baud 115200 --before default-reset "
                          "--after hard-reset write-flash").split()
    assert words[-2] == "0x0" and words[-1].endswith(".bin")


@pytest.mark.parametrize("said, code, kind, message", [
    ("A fatal error occurred: This chip is ESP32-S3, not ESP32-C3. Wrong chip argument?", 2,
     EdgekitError, "the chip is ESP32-S3, the firmware is for ESP32-C3. Nothing was erased"),
    ("A fatal error occurred: Could not open /dev/x, the port is busy or doesn't exist.", 1,
     NotThere, "/dev/x is not there"),
    ("A fatal error occurred: Failed to connect to ESP32-C3: No serial data received.", 2,
     EdgekitError, "no ESP boot loader answers"),
    ("A fatal error occurred: File a.bin (length 9) at offset 0 will not fit in 4194304 bytes of "
     "flash.", 2, EdgekitError, "does not fit the chip's flash of 4194304"),
    ("Writing at 0x0 [==] 100.0%\nCannot verify written data if ... or in secure download mode.", 0,
     EdgekitError, "secure download mode"),
    ("Writing at 0x0 [==] 10.0%\nMD5 of file does not match data in flash!", 2, EdgekitError,
     "0 of 1 images verified.*the flash is incomplete"),
    ("Writing at 0x0 [==] 100.0%", 0, EdgekitError, "ended with 0, 0 of 1 images verified")])
def test_what_esptool_says_becomes_one_error_with_a_hint(program, image, said, code, kind, message):
    esptool(program, said, code)
    with pytest.raises(kind, match=message) as caught:
        flash(image, "esp32c3", port="/dev/ttyACM0")
    assert caught.value.hint and type(caught.value) is kind


def test_an_old_esptool_and_none_are_exit_6(program, image, monkeypatch):
    esptool(program, version="4.7.0")
    with pytest.raises(NotThere, match="version 4.7, 5 is needed"):
        flash(image, "esp32c3", port="/dev/ttyACM0")
    monkeypatch.setattr("edgekit.tools.find", lambda name: None)
    with pytest.raises(NotThere, match="esptool is not on PATH"):
        flash(image, "esp32c3", port="/dev/ttyACM0")


def test_all_images_of_an_esp_idf_build_are_written_and_each_is_verified(program, image, tmp_path):
    from edgekit.flashers import esp
    from edgekit.flashers.job import Job
    for name in ("boot.bin", "table.bin", "app.bin"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "flasher_args.json").write_text(json.dumps({"flash_files": {
        "0x0": "boot.bin", "0x10000": "app.bin", "0x8000": "table.bin"}}))
    job = Job(load_board("esp32c3"), image, 0, b"", "/dev/ttyACM0", None, tmp_path)
    calls = esptool(program)
    with pytest.raises(EdgekitError, match="1 of 3 images verified"):
        esp.flash(job)
    esptool(program, GOOD + "\nHash of data verified.\nHash of data verified.")
    assert esp.flash(job) == "hash"
    places = [word for word in calls.read_text().splitlines()[-1].split() if word.startswith("0x")]
    assert places == ["0x0", "0x8000", "0x10000"]


# ---------------------------------------------------------------- pyocd

PYOCD = """
if a[0] == 'load':
    data = pathlib.Path(a[-1]).read_bytes()
    pathlib.Path(__file__).with_name('chip').write_bytes(data)
else:
    out = a[-1].split()[-1]
    data = bytearray(pathlib.Path(__file__).with_name('chip').read_bytes())
    {damage}
    pathlib.Path(out).write_bytes(data)
"""


def test_pyocd_never_waits_nor_unlocks_and_the_flash_is_read_back(program, image):
    calls = program("pyocd", PYOCD.format(damage=""))
    assert flash(image, "nucleo_l4r5zi")["verified"] == "read back"
    load, save = calls.read_text().splitlines()
    for line in (load, save):
        assert "-W -O auto_unlock=false -t stm32l4r5zitx" in line
    assert "--format bin -a 0x8000000" in load and "savemem 0x8000000 5000" in save


@pytest.mark.parametrize("damage, where", [("data[4000] ^= 1", "0x08000fa0"),
                                           ("del data[4900:]", "0x08001324")])
def test_a_wrong_cell_behind_a_probe_is_named(program, image, damage, where):
    program("pyocd", PYOCD.format(damage=damage))
    with pytest.raises(EdgekitError, match=f"differs from the image at {where}; the flash is incom"):
        flash(image, "nucleo_l4r5zi")


@pytest.mark.parametrize("said, code, kind, message", [
    ("No available debug probes are connected", 0, NotThere, "no debug probe"),
    ("Target type stm32l4r5zitx not recognized.", 1, EdgekitError, "does not know this chip"),
    ("DP is locked: STM32L4R5", 1, EdgekitError, "protected. Nothing was erased"),
    ("something new", 1, EdgekitError, "pyocd load failed: something new")])
def test_what_pyocd_says_becomes_one_error_with_a_hint(program, image, said, code, kind, message):
    program("pyocd", f"print({said!r}, file=sys.stderr); sys.exit({code})")
    with pytest.raises(kind, match=message) as caught:
        flash(image, "nucleo_l4r5zi")
    assert caught.value.hint and type(caught.value) is kind


# ---------------------------------------------------------------- ssh

SSH = """
import subprocess
host, command = a[-2:]
if command == 'uname -m':
    print({machine!r}); sys.exit(0)
data = sys.stdin.buffer.read()
if command.startswith('cat') and {lose}:
    data = data[:-1]
if {code}:
    print({said!r}, file=sys.stderr); sys.exit({code})
done = subprocess.run(['sh', '-c', command], input=data, cwd={home!r})
sys.exit(done.returncode)
"""


@pytest.fixture
def pi(program, tmp_path):
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)

    def there(machine="aarch64", lose=False, code=0, said=""):
        return program("ssh", SSH.format(machine=machine, lose=lose, code=code, said=said,
                                         home=str(home)))
    there.home = home
    return there


@pytest.fixture
def arm64_program(tmp_path) -> Path:
    file = tmp_path / "net.elf"
    file.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\xb7\0" + bytes(44) + IMAGE)
    return file


def test_a_program_arrives_whole_and_is_renamed_last(pi, arm64_program):
    calls = pi()
    result = flash(arm64_program, "raspberry_pi_4", port="pi@raspberry.local:models")
    target = pi.home / "models" / "net.elf"
    assert result["verified"] == "sha256" and target.read_bytes() == arm64_program.read_bytes()
    assert target.stat().st_mode & stat.S_IXUSR and len(list(target.parent.iterdir())) == 1
    assert all("StrictHostKeyChecking=yes" in line and "BatchMode=yes" in line
               for line in calls.read_text().splitlines())


def test_what_arrives_damaged_replaces_nothing(pi, arm64_program):
    pi(lose=True)
    old = pi.home / "net.elf"
    old.write_bytes(b"old")
    with pytest.raises(EdgekitError, match="another sha256; the old program is still there"):
        flash(arm64_program, "raspberry_pi_4", port="pi@raspberry.local")
    assert old.read_bytes() == b"old" and len(list(pi.home.glob(".*"))) == 0


@pytest.mark.parametrize("options, kind, message", [
    ({"machine": "armv7l"}, EdgekitError, "is armv7l, the program is for aarch64. Nothing was"),
    ({"code": 255, "said": "Host key verification failed."}, EdgekitError, "host key is not known"),
    ({"code": 255, "said": "pi@x: Permission denied (publickey)."}, EdgekitError, "Permission"),
    ({"code": 255, "said": "ssh: Could not resolve hostname x"}, NotThere, "is not reached"),
    ({"code": 1, "said": "cat: No space left on device"}, EdgekitError, "No space left")])
def test_what_ssh_says_becomes_one_error_with_a_hint(pi, arm64_program, options, kind, message):
    pi(**options)
    with pytest.raises(kind, match=message) as caught:
        flash(arm64_program, "raspberry_pi_4", port="pi@raspberry.local")
    assert caught.value.hint and type(caught.value) is kind


@pytest.mark.parametrize("port", ["-oProxyCommand=touch x", "pi@host;reboot", "a b"])
def test_a_host_that_is_an_option_or_a_command_is_refused(pi, arm64_program, port):
    pi()
    with pytest.raises(UsageError, match="is no USER@HOST"):
        flash(arm64_program, "raspberry_pi_4", port=port)


# ---------------------------------------------------------------- UF2

@pytest.fixture
def drive(tmp_path, monkeypatch):
    """A boot loader's drive: it goes away when it has every block of its family."""
    folder = tmp_path / "RPI-RP2"
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\n"
                                         "Board-ID: RPI-RP2\n")
    monkeypatch.setattr(uf2_flasher, "RESTART_S", 2.0)
    monkeypatch.setattr(uf2_flasher, "drives", lambda: [folder] if folder.is_dir() else [])
    taken, done = {}, threading.Event()

    def boot_loader():
        while not done.is_set():
            for file in folder.glob("*.UF2"):
                try:
                    blocks = uf2.unpack(file.read_bytes())
                except (EdgekitError, OSError):
                    continue
                if len(blocks) == blocks[0].count:
                    taken.update({block.address: block.data for block in blocks})
                    shutil.rmtree(folder)
                    return
            time.sleep(0.02)
    folder_thread = threading.Thread(target=boot_loader, daemon=True)
    yield folder, taken, folder_thread
    done.set()


def test_a_uf2_board_takes_the_image_and_restarts(drive, image):
    folder, taken, thread = drive
    thread.start()
    assert flash(image, "raspberry_pi_pico")["verified"] == "accepted"
    written = b"".join(taken[address] for address in sorted(taken))
    assert min(taken) == 0x1000_0000 and written[:len(IMAGE)] == IMAGE


def test_a_drive_that_does_not_restart_has_not_taken_it(drive, image):
    with pytest.raises(EdgekitError, match="did not restart within 2 s.*the flash is incomplete"):
        flash(image, "raspberry_pi_pico", port=str(drive[0]))


def test_another_chips_drive_is_left_as_it_is(drive, image):
    folder, _, _ = drive
    with pytest.raises(EdgekitError, match="another chip's: .*RPI-RP2.*Nothing was written"):
        flash(image, "raspberry_pi_pico_2")
    assert [file.name for file in folder.iterdir()] == ["INFO_UF2.TXT"]


def test_no_drive_is_exit_6_with_the_button_to_hold(image, monkeypatch, tmp_path):
    monkeypatch.setattr(uf2_flasher, "drives", list)
    for port in (None, str(tmp_path / "nowhere")):
        with pytest.raises(NotThere, match="no UF2 drive") as caught:
            flash(image, "raspberry_pi_pico", port=port)
        assert "BOOTSEL" in caught.value.hint


def test_a_uf2_file_is_an_image_and_must_be_of_the_boards_family(drive, tmp_path):
    file = tmp_path / "net.uf2"
    file.write_bytes(uf2.pack([(0x1000_0000, IMAGE)], uf2.family("rp2350")))
    with pytest.raises(UsageError, match="is for the UF2 family 0xe48bff59"):
        flash(file, "raspberry_pi_pico")


# ---------------------------------------------------------------- the command

def test_a_project_is_built_for_the_desk_and_flashed(drive, tmp_path, capsys):
    board = load_board("raspberry_pi_pico")
    if not toolchains.available(board):
        require_tool(toolchains.gcc(board).compiler)
    _, taken, thread = drive
    pipeline.generate(NETWORK, "raspberry_pi_pico", tmp_path / "net", runtime="aot", form="cmake")
    thread.start()
    assert cli.main(["flash", str(tmp_path / "net"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["schema"] == "edgekit.flash" and result["by"] == "uf2"
    assert b"self-test" in b"".join(taken[a] for a in sorted(taken)) and result["bytes"] > 5000


def twin(model):
    """The Pico's firmware, but for its core: it answers as that does."""
    return build(model, "linux_host", change=(
        "board/board.h", b'BOARD_NAME "linux_host"', b'BOARD_NAME "raspberry_pi_pico"'))


@pytest.mark.parametrize("who, said", [
    ("it", None), ("another", "is not what was flashed: board 'raspberry_pi_pico', model"),
    pytest.param("nobody", "is silent", marks=pytest.mark.slow)])
def test_after_a_uf2_drive_restarted_the_new_firmwares_hello_is_waited_for(
        drive, tmp_path, monkeypatch, who, said):
    monkeypatch.setattr("edgekit.greeting.HELLO_S", 1.0)
    if not toolchains.available(load_board("raspberry_pi_pico")):
        require_tool("arm-none-eabi-gcc")
    other = model_of(tflite_writer.write(all_graphs()["two_inputs"]), "two_inputs")
    pipeline.generate(NETWORK, "raspberry_pi_pico", tmp_path / "net", runtime="aot", form="cmake")
    drive[2].start()
    with running("linux_host", twin(other if who == "another" else NETWORK)) as wire:
        wire.mute = who == "nobody"
        # The port comes a little after the drive went.
        link = tmp_path / "port"
        threading.Timer(0.5, lambda: link.symlink_to(wire.path)).start()
        if said is None:
            assert flash(tmp_path / "net", hello=str(link))["hello"] == {
                "board": "raspberry_pi_pico", "model_sha256": NETWORK.sha256}
        else:
            with pytest.raises(EdgekitError, match=said):
                flash(tmp_path / "net", hello=str(link))


def test_a_port_that_never_comes_is_exit_6(drive, image, monkeypatch):
    monkeypatch.setattr("edgekit.flashing.APPEARS_S", 0.5)
    drive[2].start()
    with pytest.raises(NotThere):
        flash(image, "raspberry_pi_pico", hello="/dev/edgekit-nowhere")


@pytest.mark.parametrize("arguments, exit, message", [
    (["x.bin"], 2, "a board is needed"),
    (["x.bin", "--board", "linux_host"], 2, "nothing to flash"),
    (["x.bin", "--board", "nucleo_l4r5zi"], 2, "cannot be read"),
    (["x.txt", "--board", "nucleo_l4r5zi"], 2, "neither ELF, UF2 nor a .bin"),
    (["empty.bin", "--board", "nucleo_l4r5zi"], 2, "holds nothing to flash")])
def test_wrong_usage_is_said(tmp_path, monkeypatch, capsys, arguments, exit, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").write_text("text")
    (tmp_path / "empty.bin").write_text("")
    if arguments[-1] == "linux_host":
        (tmp_path / "x.bin").write_bytes(b"1")
    assert cli.main(["flash", *arguments]) == exit
    assert message in capsys.readouterr().err


def test_an_image_linked_for_another_board_is_refused(tmp_path):
    from firmware_process import build
    with pytest.raises(DoesNotFit, match="belongs at 0x.*, where ST NUCLEO-L4R5ZI has no flash"):
        flash(build(NETWORK, "mps2_an386"), "nucleo_l4r5zi")
