"""ESP-IDF projects, compiled and run with the host's compiler through a stand-in for project.cmake."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from pathlib import Path

import pytest
from conftest import require_module, require_tool
from tflm_project import DOUBLE, little, selftest_of, two_of_each, written

from edgekit import memory, tflite, tools
from edgekit.board import load_board
from edgekit.builders import esp_idf
from edgekit.codegen import SelfTest
from edgekit.errors import BadBoard, BuildFailed, DoesNotFit, NotThere, UsageError
from edgekit.frames import Decoder, Frame, Type, encode
from edgekit.greeting import parse
from edgekit.runtimes import aot, tflm

STANDIN = Path(__file__).parent / "esp_idf_standin"
BOARD = load_board("esp32c3")
GRAPHS = {"little": little, "two_of_each": two_of_each}


def code_of(runtime: str, name: str = "little"):
    model = written(GRAPHS[name]())
    graph = tflite.read(model)
    if runtime == "tflm":
        return tflm.generate(model, graph, name, BOARD)
    return aot.generate(graph, memory.plan(graph), name, hashlib.sha256(model).hexdigest(),
                        BOARD.name)


def generated(folder: Path, runtime: str, name: str = "little", selftest: SelfTest | None = None,
              **options) -> Path:
    project = esp_idf.project(code_of(runtime, name), selftest or selftest_of(GRAPHS[name]()),
                              BOARD, **options)
    project.write(folder / "project")
    return folder / "project"


def standin(folder: Path, project: Path, runtime: str, name: str = "little") -> tuple[int, str]:
    """(exit code, output) of configuring, compiling and running, whichever fails first."""
    for program in ("cmake", "ninja", "cc", "c++"):
        require_tool(program)
    command = [tools.require("cmake"), "-S", str(project), "-B", str(folder / "b"), "-G", "Ninja",
               f"-DCMAKE_MAKE_PROGRAM={tools.require('ninja')}"]
    if runtime == "tflm":
        graph = GRAPHS[name]()
        aot.generate(graph, memory.plan(graph), "double_model", "0" * 64, "any"
                     ).files.write(folder / "double")
        command += [f"-DCMAKE_PROJECT_INCLUDE={DOUBLE / 'tflm_double.cmake'}",
                    f"-DTFLM_DOUBLE_MODEL={folder / 'double'}", "-DTFLM_DOUBLE_ARENA=1024"]
    for step in (command, [tools.require("cmake"), "--build", str(folder / "b")],
                 [str(folder / "b" / f"{name}.elf")]):
        done = tools.run(step, env={"IDF_PATH": str(STANDIN), "CFLAGS": "-Wall -Wextra -Werror",
                                    "CXXFLAGS": "-Wall -Wextra -Werror"})
        if done.returncode != 0:
            break
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("runtime", ("aot", "tflm"))
@pytest.mark.parametrize("name", GRAPHS)
def test_a_project_configures_compiles_and_passes_its_self_test(tmp_path, runtime, name):
    code, output = standin(tmp_path, generated(tmp_path, runtime, name), runtime, name)
    assert code == 0, output
    assert output == f"edgekit {name}: self-test PASS\nedgekit {name}: 0 us\n"


def test_a_host_that_talks_is_served_on_the_uart_driver(tmp_path, monkeypatch):
    wanted = selftest_of(little())
    loads = b"".join(encode(Frame(Type.LOAD, 2 + i, bytes((i, 0, 0, 0, 0)) + data))
                     for i, data in enumerate(wanted.inputs))
    crc = zlib.crc32(b"".join(wanted.inputs)).to_bytes(4, "little")
    (tmp_path / "in").write_bytes(encode(Frame(Type.HELLO, 1, b"")) + loads
                                  + encode(Frame(Type.INFER, 9, crc)))
    monkeypatch.setenv("EDGEKIT_STANDIN_UART_IN", str(tmp_path / "in"))
    monkeypatch.setenv("EDGEKIT_STANDIN_UART_OUT", str(tmp_path / "out"))
    code, output = standin(tmp_path, generated(tmp_path, "aot"), "aot")
    assert code == 0, output
    greeting, hello, *acks, ran = Decoder().feed((tmp_path / "out").read_bytes())
    assert greeting.sequence == 0 and parse(hello.payload).board == "esp32c3"
    assert parse(hello.payload).counts_cycles and len(acks) == len(wanted.inputs)
    assert ran.type == Type.INFER + Type.REPLY
    assert ran.payload[4:8] == zlib.crc32(b"".join(wanted.outputs)).to_bytes(4, "little")


def test_a_wrong_byte_is_named(tmp_path):
    right = selftest_of(little())
    wrong = SelfTest(right.inputs, (bytes([right.outputs[0][0] ^ 1]) + right.outputs[0][1:],))
    project = generated(tmp_path, "aot", selftest=wrong)
    _, output = standin(tmp_path, project, "aot")
    assert (f"FAIL: output 0 byte 0: expected {wrong.outputs[0][0]}, got {right.outputs[0][0]}"
            in output)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_stand_in_catches_a_source_that_is_missing_from_srcs(tmp_path):
    project = generated(tmp_path, "aot")
    edit(project / "components/edgekit_model/CMakeLists.txt", "        kernels/softmax_s8.c\n", "")
    code, output = standin(tmp_path, project, "aot")
    assert code != 0 and "undefined reference" in output


def test_the_stand_in_catches_a_source_that_is_not_there(tmp_path):
    project = generated(tmp_path, "aot")
    (project / "main/selftest.c").unlink()
    code, output = standin(tmp_path, project, "aot")
    assert code != 0 and "selftest.c" in output


def test_the_stand_in_catches_a_component_that_idf_does_not_have(tmp_path):
    project = generated(tmp_path, "aot")
    edit(project / "main/CMakeLists.txt", "esp_timer", "esp_timers")
    code, output = standin(tmp_path, project, "aot")
    assert code != 0 and "Failed to resolve component 'esp_timers'" in output


@pytest.mark.parametrize("missing", ("edgekit_model", "esp_timer"))
def test_the_stand_in_catches_a_requirement_that_is_left_out(tmp_path, missing):
    project = generated(tmp_path, "aot")
    edit(project / "main/CMakeLists.txt", missing, "")
    code, output = standin(tmp_path, project, "aot")
    assert code != 0 and "No such file" in output


def test_the_stand_in_catches_a_manifest_without_tflite_micro(tmp_path):
    project = generated(tmp_path, "tflm")
    (project / "components/edgekit_model/idf_component.yml").unlink()
    code, output = standin(tmp_path, project, "tflm")
    assert code != 0 and "tensorflow/lite" in output


def test_the_component_manifest_is_valid_yaml_with_a_pinned_tflite_micro(tmp_path):
    project = generated(tmp_path, "tflm")
    text = (project / "components/edgekit_model/idf_component.yml").read_text()
    assert '  espressif/esp-tflite-micro: "^1.3.5"\n' in text
    assert not (generated(tmp_path / "aot", "aot") / "components/edgekit_model/idf_component.yml"
                ).exists()


def test_espressifs_component_manager_accepts_the_manifest(tmp_path):
    require_module("idf_component_tools")
    from idf_component_tools.errors import ManifestError
    from idf_component_tools.manager import ManifestManager
    component = generated(tmp_path, "tflm") / "components/edgekit_model"
    loaded = ManifestManager(str(component), "edgekit_model").load()
    assert {name: r.version if hasattr(r, "version") else r
            for name, r in loaded.dependencies.items()} == {
        "idf": ">=5.1", "espressif/esp-tflite-micro": "^1.3.5"}
    edit(component / "idf_component.yml", "^1.3.5", "^^1.3.5")
    with pytest.raises(ManifestError):
        ManifestManager(str(component), "edgekit_model").load()


@pytest.mark.parametrize(("name", "mhz", "flash"), [("esp32", 240, 4), ("esp32s3", 240, 8),
                                                    ("esp32c6", 160, 8)])
def test_the_other_chips_are_named_with_their_clock_and_flash(name, mhz, flash):
    project = esp_idf.project(code_of("aot"), selftest_of(little()), load_board(name))
    lines = project["sdkconfig.defaults"].decode().splitlines()
    assert f'CONFIG_IDF_TARGET="{name}"' in lines
    assert f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_{mhz}=y" in lines
    assert f"CONFIG_ESPTOOLPY_FLASHSIZE_{flash}MB=y" in lines


def test_the_same_model_gives_the_same_bytes_and_every_file_is_0bsd():
    first, again = (esp_idf.project(code_of("tflm"), selftest_of(little()), BOARD)
                    for _ in range(2))
    assert first.sha256 == again.sha256
    for path, data in first.files:
        assert path.endswith((".json", ".md")) or b"SPDX-License-Identifier: 0BSD" in data[:200], path


@pytest.mark.parametrize("optimize, symbol, flag", (("size", "SIZE", "-Os"), ("speed", "PERF", "-O3"),
                                                    ("balanced", "PERF", "-O2")))
def test_the_configuration_has_chip_clock_flash_stack_and_optimisation(
        tmp_path, optimize, symbol, flag):
    project = generated(tmp_path, "aot", optimize=optimize)
    assert (project / "sdkconfig.defaults").read_text().splitlines()[1:] == [
        'CONFIG_IDF_TARGET="esp32c3"', f"CONFIG_COMPILER_OPTIMIZATION_{symbol}=y",
        "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_160=y", "CONFIG_ESP_MAIN_TASK_STACK_SIZE=8192",
        "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y", "CONFIG_PARTITION_TABLE_SINGLE_APP_LARGE=y"]
    assert f"set(EDGEKIT_OPTIMIZE {flag})" in (
        project / "components/edgekit_model/CMakeLists.txt").read_text()


def test_a_board_of_another_maker_has_no_esp_idf_project():
    with pytest.raises(BadBoard, match="ESP-IDF does not run on .*cortex-m4"):
        esp_idf.project(code_of("aot"), selftest_of(little()), load_board("mps2_an386"))


# idf.py


def test_without_idf_py_the_error_names_it_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if tools.find("idf.py"):
        pytest.skip("idf.py lies beside this Python")
    with pytest.raises(NotThere, match="idf.py is not on PATH") as caught:
        esp_idf.build(generated(tmp_path, "aot"), BOARD)
    assert "export.sh" in caught.value.hint


def test_zig_cannot_build_an_esp_idf_project(tmp_path):
    with pytest.raises(UsageError, match="not with zig"):
        esp_idf.build(tmp_path, BOARD, toolchain="zig")


def fake_idf(folder: Path, monkeypatch, script: str) -> None:
    """An idf.py that does what `script` says, with the build folder in $4."""
    folder.mkdir()
    program = folder / "idf.py"
    program.write_text("#!/bin/sh\n[ \"$1\" = --version ] && { echo ESP-IDF v5.4; exit; }\n" + script)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_firmware_is_the_elf_and_its_bin(tmp_path, monkeypatch):
    elf = require_tool("true")  # any ELF file
    fake_idf(tmp_path / "bin", monkeypatch, f'mkdir -p "$4" && cp {elf} "$4/little.elf"')
    firmware = esp_idf.build(generated(tmp_path, "aot"), BOARD)
    assert (firmware.elf.name, firmware.image.name) == ("little.elf", "little.bin")
    assert firmware.toolchain == "ESP-IDF v5.4" and firmware.text > 0


@pytest.mark.parametrize("said, error", (
    ("main.c:3: error: no such thing", BuildFailed),
    ("region `dram0_0_seg' overflowed by 4711 bytes", DoesNotFit)))
def test_what_idf_py_refuses_is_an_error_with_its_reason(tmp_path, monkeypatch, said, error):
    fake_idf(tmp_path / "bin", monkeypatch, f'echo "{said.replace("`", chr(92) + "`")}"; exit 2')
    with pytest.raises(error, match="no such thing|4,711 bytes"):
        esp_idf.build(generated(tmp_path, "aot"), BOARD)
