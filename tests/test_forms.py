"""Projects of the ecosystems' forms: what is in them, and that they compile, link and run against
stand-ins; tests/matrix.py does it for every board."""

from __future__ import annotations

import configparser
import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import standins
from conftest import require_module, require_tool
from tiny_graphs import all_graphs

from edgekit import tflite_writer, tools
from edgekit.board import board_names, load_board
from edgekit.builders import arduino, forms, pico_sdk, platformio, python, zephyr
from edgekit.errors import BuildFailed, NotThere, UsageError
from edgekit.model import compile_plan, model_of
from edgekit.project import compose, model_code
from edgekit.runtimes import aot

BOARDS = {"pico-sdk": "raspberry_pi_pico_2", "zephyr": "nrf52840_dk", "arduino": "nucleo_f446re",
          "platformio": "esp32s3", "python": "raspberry_pi_4"}
CHECKED = [("pico-sdk", "aot"), ("pico-sdk", "tflm"), ("zephyr", "aot"), ("zephyr", "tflm"),
           ("arduino", "aot"), ("platformio", "aot")]


@functools.cache
def model(name: str = "two_inputs"):
    return model_of(tflite_writer.write(all_graphs()[name]), name)


def generated(folder: Path, form: str, runtime: str, name: str = "two_inputs", board: str = "",
              **options) -> Path:
    chosen = load_board(board or BOARDS[form])
    compose(model(name), model_code(model(name), chosen, runtime), chosen, form,
            **options).write(folder / "project")
    return folder / "project"


def double(folder: Path, name: str) -> standins.Double:
    graph, _, plan = compile_plan(model(name))
    aot.generate(graph, plan, "double_model", "0" * 64, "any").files.write(folder / "double")
    return standins.Double(folder / "double", 512)


def checked(folder: Path, form: str, runtime: str, name: str = "two_inputs"):
    for program in ("cmake", "ninja", "cc", "c++"):
        require_tool(program)
    return getattr(standins, form.replace("-", "_"))(
        folder / "project", folder / "b", name, double(folder, name) if runtime == "tflm" else None)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(("form", "runtime"), CHECKED)
def test_a_project_of_two_inputs_compiles_links_and_passes_its_self_test(tmp_path, form, runtime):
    generated(tmp_path, form, runtime)
    code, output = checked(tmp_path, form, runtime)
    assert code == 0, output
    assert "edgekit two_inputs: self-test PASS\n" in output and "invoke failed" not in output


@pytest.mark.parametrize("form", ["pico-sdk", "zephyr", "arduino"])
def test_a_wrong_byte_is_named(tmp_path, form):
    project = generated(tmp_path, form, "aot")
    source = next(project.rglob("selftest.c"))
    text = source.read_text()
    first = re.search(r"output_0\[6\] = \{\n    (\d+),", text)
    wrong = str(int(first[1]) ^ 1)
    source.write_text(text[:first.start(1)] + wrong + text[first.end(1):])
    _, output = checked(tmp_path, form, "aot")
    assert f"FAIL: output 0 byte 0: expected {wrong}, got {first[1]}" in output


@pytest.mark.parametrize(("form", "file", "old", "new", "said"), [
    ("pico-sdk", "CMakeLists.txt", "pico_enable_stdio_usb", "pico_enable_stdio_usbs",
     'Unknown CMake command "pico_enable_stdio_usbs"'),
    ("pico-sdk", "CMakeLists.txt", "pico_stdlib", "pico_stdlibs", "no library pico_stdlibs"),
    ("pico-sdk", "CMakeLists.txt", "PICO_BOARD pico2", "PICO_BOARD pico3", "board 'pico3'"),
    ("pico-sdk", "CMakeLists.txt", "C CXX ASM", "C CXX", "needs the languages"),
    ("pico-sdk", "CMakeLists.txt", "    model/kernels/lookup_s8.c\n", "", "undefined reference"),
    ("pico-sdk", "main.c", "sleep_ms", "sleep_msec", "sleep_msec"),
    ("zephyr", "prj.conf", "CONFIG_FPU", "CONFIG_FPUS", "undefined symbol CONFIG_FPUS"),
    ("zephyr", "CMakeLists.txt", "nrf52840dk/", "nrf52840dks/", "No board named"),
    ("zephyr", "CMakeLists.txt", "    model/kernels/lookup_s8.c\n", "", "undefined reference"),
    ("zephyr", "src/main.c", "printk(", "printks(", "printks"),
    ("arduino", "examples/two_inputs/two_inputs.ino", "micros()", "micross()", "micross"),
    ("arduino", "src/two_inputs.h", 'extern "C" {', "", "undefined reference|expected"),
    ("platformio", "src/selftest.h", 'extern "C" {', "", "undefined reference|expected"),
])
def test_the_stand_ins_refuse_what_the_ecosystem_refuses(tmp_path, form, file, old, new, said):
    edit(generated(tmp_path, form, "aot") / file, old, new)
    code, output = checked(tmp_path, form, "aot")
    assert code != 0 and re.search(said, output), output


def test_zephyrs_module_of_tflite_micro_is_asked_for_by_its_key(tmp_path):
    project = generated(tmp_path, "zephyr", "tflm")
    edit(project / "prj.conf", "CONFIG_TENSORFLOW_LITE_MICRO=y\n", "")
    code, output = checked(tmp_path, "zephyr", "tflm")
    assert code != 0 and "tensorflow/lite" in output


@pytest.mark.parametrize("name", board_names())
def test_a_boards_forms_are_those_that_are_possible_and_others_say_why_not(name):
    board = load_board(name)
    named = {form for form in ("pico-sdk", "zephyr", "arduino", "platformio") if board.name_in(form)}
    assert named == set(board.forms) & {"pico-sdk", "zephyr", "arduino", "platformio"}
    assert ("esp-idf" in board.forms) is board.cpu.core.startswith("esp32")
    for form in set(forms.FORMS) - set(board.forms):
        with pytest.raises(UsageError) as caught:
            forms.require_possible(board, form, "aot")
        assert caught.value.message.startswith(f"{board.title} has no form '{form}': ")
        assert caught.value.exit == 2


@pytest.mark.parametrize(("form", "runtime", "reason"), [
    ("arduino", "tflm", "frozen since 2023"), ("platformio", "tflm", "frozen since 2023"),
    ("python", "aot", "LiteRT"), ("cmacke", "aot", "unknown form")])
def test_an_impossible_pair_of_form_and_runtime_is_a_usage_error_with_its_reason(form, runtime, reason):
    board = load_board(BOARDS.get(form, "nucleo_f446re"))
    with pytest.raises(UsageError, match=reason):
        compose(model(), model_code(model(), board, runtime), board, form)


def test_every_source_of_every_form_is_0bsd_and_the_bytes_are_the_same_each_time():
    for form, name in BOARDS.items():
        runtime = "tflm" if form == "python" else "aot"
        board = load_board(name)
        first, again = (compose(model(), model_code(model(), board, runtime), board, form)
                        for _ in range(2))
        assert first.sha256 == again.sha256
        for path, data in first.files:
            if not path.endswith((".json", ".md", ".tflite", ".properties")):
                assert b"SPDX-License-Identifier: 0BSD" in data[:200], path


# Arduino


def test_an_arduino_library_has_every_key_and_its_sources_ask_for_their_optimisation(tmp_path):
    project = generated(tmp_path, "arduino", "aot", optimize="speed")
    lines = (project / "library.properties").read_text().splitlines()
    keys = dict(line.split("=", 1) for line in lines)
    assert all(keys[key] for key in ("name", "version", "author", "maintainer", "sentence",
                                     "paragraph", "category", "url", "architectures"))
    assert keys["includes"] == "two_inputs.h" and (project / "src/two_inputs.h").is_file()
    assert (project / f"examples/{model().name}/{model().name}.ino").is_file()
    for source in (project / "src").rglob("*.c"):
        assert '#pragma GCC optimize("O3", "fp-contract=off")' in source.read_text(), source


# PlatformIO


def test_platformio_accepts_the_project(tmp_path):
    require_module("platformio")
    project = generated(tmp_path, "platformio", "aot")
    assert standins.platformio_lint(project, tmp_path) == {"errors": [], "warnings": []}
    edit(project / "platformio.ini", "monitor_speed", "monitor_sped")
    assert "monitor_sped" in str(standins.platformio_lint(project, tmp_path)["warnings"])


def test_the_platform_is_pinned(tmp_path):
    project = generated(tmp_path, "platformio", "aot", optimize="size")
    config = configparser.ConfigParser()
    config.read(project / "platformio.ini")
    environment = config["env:esp32s3"]
    assert re.fullmatch(r"\w+@\d+\.\d+\.\d+", environment["platform"])
    assert environment["board"] == "esp32-s3-devkitc-1"
    assert environment["build_flags"].split() == ["-Os", "-ffp-contract=off"]
    library = json.loads((project / "lib/edgekit_model/library.json").read_text())
    assert library["name"] == "edgekit_model" and library["license"] == "0BSD"


# Python


def test_the_python_project_runs_in_litert_and_computes_the_known_numbers(tmp_path):
    require_module("ai_edge_litert")
    project = generated(tmp_path, "python", "tflm", "tiny_network")
    code, output = standins.python(project, tmp_path, "tiny_network")
    assert code == 0 and "self-test PASS" in output, output
    np.save(tmp_path / "x.npy", np.zeros((3, 12, 12, 2), np.float32))
    done = tools.run([standins.sys.executable, str(project / "run.py"), str(tmp_path / "x.npy"),
                      "-o", str(tmp_path / "y.npy")])
    assert done.returncode == 0, done.stderr.decode()
    assert np.load(tmp_path / "y.npy").shape == (3, 1, 3)
    golden = json.loads((project / "selftest.json").read_text())
    golden["outputs"][0] = "00" * 3
    (project / "selftest.json").write_text(json.dumps(golden))
    code, output = standins.python(project, tmp_path, "tiny_network")
    assert code == 1 and "self-test FAIL" in output


# The ecosystems' own tools


@pytest.mark.parametrize(("builder", "said"), [
    (pico_sdk, "PICO_SDK_PATH names no pico-sdk"), (zephyr, "west is not on PATH"),
    (arduino, "arduino-cli is not on PATH"), (platformio, "pio is not on PATH")])
def test_without_the_ecosystems_tool_the_error_names_it(tmp_path, monkeypatch, builder, said):
    monkeypatch.setattr(tools, "find", lambda program: None)
    monkeypatch.delenv("PICO_SDK_PATH", raising=False)
    (tmp_path / "examples" / "x").mkdir(parents=True)
    with pytest.raises(NotThere, match=said):
        builder.build(tmp_path, load_board("raspberry_pi_pico"))
    with pytest.raises(UsageError, match="not with zig"):
        builder.build(tmp_path, load_board("raspberry_pi_pico"), toolchain="zig")


def test_the_commands_of_the_pico_sdk_projects_readme_build_it(tmp_path):
    require_tool("cmake")
    require_tool("ninja")
    project = generated(tmp_path, "pico-sdk", "aot")
    commands = re.findall(r"^    (cmake .*)$", (project / "README.md").read_text(), re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        done = tools.run(["sh", "-c", command], cwd=project,
                         env={"PICO_SDK_PATH": str(standins.HERE / "pico_sdk_standin")})
        assert done.returncode == 0, done.stderr.decode()
    assert (project / "build/two_inputs.elf").is_file()


def test_a_python_program_has_nothing_to_build(tmp_path):
    with pytest.raises(UsageError, match="nothing to build"):
        python.build(tmp_path, load_board("raspberry_pi_4"))


def test_the_pico_sdks_build_is_run_and_its_refusal_is_the_error(tmp_path, monkeypatch):
    require_tool("cmake")
    require_tool("ninja")
    monkeypatch.setenv("PICO_SDK_PATH", str(standins.HERE / "pico_sdk_standin"))
    project = generated(tmp_path, "pico-sdk", "aot")
    board = load_board("raspberry_pi_pico_2")
    firmware = pico_sdk.build(project, board)
    assert firmware.elf.name == "two_inputs.elf" and firmware.image is None  # no picotool there
    edit(project / "main.c", "stdio_init_all", "stdio_init_everything")
    with pytest.raises(BuildFailed, match="stdio_init_everything"):
        pico_sdk.build(project, board)
