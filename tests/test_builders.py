"""Generated CMake projects, compiled by every toolchain that is there and run where they can be."""

from __future__ import annotations

import ctypes
import json
import random
import re
import shutil
import subprocess
import sys

import pytest
from conftest import require_module, require_tool
from tiny_graphs import network
from tiny_model import SELFTEST, tiny

from edgekit import memories, pipeline, resources, tflite_writer, toolchains, tools
from edgekit.board import board_names, load_board
from edgekit.builders import cmake, library, linker
from edgekit.codegen import Project, SelfTest
from edgekit.elf import read_sections
from edgekit.errors import BadBoard, BuildFailed, DoesNotFit, EdgekitError, NotThere, UsageError
from edgekit.firmware import read_sizes, regions
from edgekit.model import model_of

PASS = "edgekit tiny: self-test PASS\n"
QEMU_BOARDS = ("mps2_an385", "mps2_an386", "mps2_an500", "mps2_an505", "mps3_an547",
               "nucleo_f446re", "qemu_riscv32", "qemu_aarch64")
BUILT = tuple(n for n in board_names() if "cmake" in load_board(n).forms)
BARE = tuple(n for n in BUILT if not toolchains.is_hosted(load_board(n)))

# zig's first link against musl builds musl (40 s), so hosted boards are built with gcc only, and
# these two differ from the Raspberry Pi 4 in -mcpu alone; tests/matrix.py builds them all.
BUILDS = [(name, chain.kind) for name in BUILT for chain in toolchains.known(load_board(name))
          if (name in BARE or chain.kind == "gcc")
          and name not in ("raspberry_pi_5", "raspberry_pi_zero_2w")]


def need(board, kind):
    require_tool("cmake")
    require_tool("ninja")
    require_tool(toolchains.gcc(board).compiler if kind == "gcc" else "zig")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """built(board name, toolchain) -> Firmware, compiled once and with warnings as errors."""
    made = {}

    def get(name, kind):
        if (name, kind) not in made:
            board = load_board(name)
            need(board, kind)
            folder = tmp_path_factory.mktemp(f"{name}-{kind}")
            cmake.project(tiny(), SELFTEST, board).write(folder)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("CFLAGS", "-Werror")
                made[name, kind] = cmake.build(folder, board, toolchain=kind)
        return made[name, kind]

    return get


def run(*command):
    """(exit code, standard output) of a program that must end within ten seconds."""
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=10,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout.decode()


def qemu(name, elf):
    if name == "qemu_riscv32":
        command = [require_tool("qemu-system-riscv32"), "-M", "virt", "-bios", "none"]
    elif name == "qemu_aarch64":
        command = [require_tool("qemu-system-aarch64"), "-M", "virt", "-cpu", "cortex-a72",
                   "-nic", "none", "-semihosting"]
    elif name == "nucleo_f446re":
        command = [require_tool("qemu-system-arm"), "-M", "netduinoplus2", "-semihosting",
                   "-serial", "null"]
    else:
        command = [require_tool("qemu-system-arm"), "-M", name.replace("_", "-"), "-semihosting"]
    return run(*command, "-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel", elf)


@pytest.mark.parametrize(("name", "kind"), BUILDS)
def test_the_project_compiles_without_a_warning_and_its_sizes_are_plausible(built, name, kind):
    firmware = built(name, kind)
    assert re.fullmatch(r"[\w-]+ \d[\w.+-]*", firmware.toolchain)
    assert firmware.text > 500
    board = load_board(name)
    if name in BARE:
        assert firmware.data == 8  # tiny_step, and the section's alignment
        link = 0 if name in QEMU_BOARDS else 848  # its buffers, in firmware for hardware
        assert memories.STACK_SIZE + 32 < firmware.bss - link < memories.STACK_SIZE + 64
        flash, ram, *more = regions(firmware.elf, board)  # more: PSRAM, which nothing needs here
        assert all(0 < used < size for _, used, size in (flash, ram))
        assert all(used == 0 for _, used, _ in more)


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, k in BUILDS if n in QEMU_BOARDS])
def test_the_firmware_passes_its_self_test_in_qemu_and_ends_with_0(built, name, kind):
    assert qemu(name, built(name, kind).elf) == (0, PASS)


def test_the_host_program_passes_its_self_test(built):
    assert run(built("linux_host", "gcc").elf) == (0, PASS)


def test_the_raspberry_pi_program_passes_its_self_test_in_qemu(built):
    assert run(require_tool("qemu-aarch64"), built("raspberry_pi_4", "gcc").elf) == (0, PASS)
    assert run(require_tool("qemu-arm"), "-cpu", "cortex-a7",
               built("raspberry_pi_2", "gcc").elf) == (0, PASS)


def test_the_raspberry_pi_zero_gets_armv6_code_and_only_zig_makes_it(tmp_path):
    board = load_board("raspberry_pi_zero")
    need(board, "zig")
    cmake.project(tiny(), SELFTEST, board).write(tmp_path)
    (chain,) = toolchains.known(board)
    done = tools.run([tools.require("zig"), "cc", *chain.c_flags, "-O2", "-Wall", "-Wextra",
                      "-Werror", "-Iapp", "-Iboard", "-Imodel", "-c", "app/selftest.c"],
                     cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    attributes = run(require_tool("arm-none-eabi-readelf"), "-A", tmp_path / "selftest.o")[1]
    assert re.search(r"Tag_CPU_arch: v6", attributes)
    assert "Tag_ABI_VFP_args: VFP registers" in attributes
    presets = json.loads((tmp_path / "CMakePresets.json").read_text())["configurePresets"]
    assert [preset["name"] for preset in presets] == ["default", "emulated"]
    with pytest.raises(UsageError, match="gcc does not build for Raspberry Pi Zero"):
        toolchains.choose(board, "gcc")


def test_a_profile_for_xtensa_says_what_it_cannot_know():
    profile = pipeline.profile(model_of(tflite_writer.write(network()), "net"), "esp32",
                               runtime="aot")
    assert profile["flash"]["code"] is None and profile["ram"]["arena"] > 0
    assert profile["issues"][0]["code"] == "not_built" and "ESP-IDF" in profile["issues"][0]["message"]


def test_xtensa_has_no_bare_metal_project():
    board = load_board("esp32s3")
    with pytest.raises(BadBoard, match="no port 'esp_idf'"):
        cmake.project(tiny(), SELFTEST, board)
    assert toolchains.known(board)[0].compiler == "xtensa-esp32s3-elf-gcc"
    with pytest.raises(UsageError, match="zig does not build for Espressif ESP32-S3"):
        toolchains.choose(board, "zig")


@pytest.mark.parametrize("name", ["mps2_an386", "qemu_riscv32", "linux_host"])
def test_a_wrong_byte_is_named_and_the_exit_code_is_1(tmp_path, name):
    board = load_board(name)
    need(board, "gcc")
    golden = SelfTest(SELFTEST.inputs, (SELFTEST.outputs[0], bytes([9, 8, 200])))
    cmake.project(tiny(), golden, board).write(tmp_path)
    elf = cmake.build(tmp_path, board, toolchain="gcc").elf
    code, text = run(elf) if name == "linux_host" else qemu(name, elf)
    assert text == "edgekit tiny: self-test FAIL: output 1 byte 2: expected 200, got 7\n"
    assert code == 1


def test_a_failed_inference_is_said_as_one(tmp_path):
    board = load_board("linux_host")
    need(board, "gcc")
    cmake.project(tiny(result=3), SELFTEST, board).write(tmp_path)
    elf = cmake.build(tmp_path, board, toolchain="gcc").elf
    assert run(elf) == (1, "edgekit tiny: self-test FAIL: tiny_invoke gave 3\n")


def test_golden_vectors_of_another_model_do_not_compile(tmp_path):
    board = load_board("linux_host")
    need(board, "gcc")
    cmake.project(tiny(), SelfTest(SELFTEST.inputs[:1], SELFTEST.outputs), board).write(tmp_path)
    with pytest.raises(BuildFailed, match="the golden inputs are another model"):
        cmake.build(tmp_path, board, toolchain="gcc")


@pytest.mark.parametrize("kind", ["gcc", "zig"])
@pytest.mark.parametrize(("size", "region"), [
    ({"arena": 0x42000 - memories.STACK_SIZE - 8 + 64}, "sram"), ({"flash": 0x200000}, "flash")])
def test_firmware_that_does_not_fit_says_by_how_many_bytes(tmp_path, kind, size, region):
    board = load_board("raspberry_pi_pico")
    need(board, kind)
    cmake.project(tiny(**size), SELFTEST, board).write(tmp_path)
    with pytest.raises(DoesNotFit) as caught:
        cmake.build(tmp_path, board, toolchain=kind, link=False)
    excess = int(re.search(r"needs ([\d,]+) bytes more than (\w+)", caught.value.message)[1]
                 .replace(",", ""))
    assert f"more than {region}, which has" in caught.value.message
    # RAM: .data, .bss and the arena's 64 bytes too many; flash: the code that is there besides.
    assert 64 <= excess <= 96 if region == "sram" else 1000 < excess < 6000


def test_hardware_firmware_has_no_breakpoint_and_emulated_firmware_has_one(tmp_path):
    board = load_board("nucleo_l4r5zi")
    need(board, "gcc")
    cmake.project(tiny(), SELFTEST, board).write(tmp_path)
    objdump = require_tool("arm-none-eabi-objdump")
    for emulated in (False, True):
        elf = cmake.build(tmp_path, board, toolchain="gcc", emulated=emulated).elf
        assert ("bkpt" in run(objdump, "-d", elf)[1]) is emulated


@pytest.mark.parametrize("kind", ["gcc", "zig"])
def test_two_folders_give_the_same_elf(tmp_path, kind):
    board = load_board("mps2_an386")
    need(board, kind)
    bytes_of = []
    for name in ("here", "another_place/that_is_longer"):
        cmake.project(tiny(), SELFTEST, board).write(tmp_path / name)
        bytes_of.append(cmake.build(tmp_path / name, board, toolchain=kind).elf.read_bytes())
    assert bytes_of[0] == bytes_of[1]
    assert str(tmp_path).encode() not in bytes_of[0]


@pytest.mark.parametrize("name", ["nucleo_l4r5zi", "esp32c3"])
def test_regions_are_what_the_linker_prints(tmp_path, monkeypatch, name):
    board = load_board(name)
    need(board, "gcc")
    monkeypatch.setenv("LDFLAGS", "-Wl,--print-memory-usage")
    cmake.project(tiny(arena=1000, flash=777), SELFTEST, board).write(tmp_path)
    elf = cmake.build(tmp_path, board, toolchain="gcc").elf
    elf.unlink()
    text = tools.run([tools.require("ninja"), "-C", str(elf.parent)]).stdout.decode()
    printed = dict(re.findall(r"^\s*(\w+):\s+(\d+) (?:B|GB)", text, re.MULTILINE))
    assert {name: str(used) for name, used, _ in regions(elf, board)} == printed


def test_sizes_are_what_the_size_program_prints(built):
    elf = built("nucleo_l4r5zi", "gcc").elf
    printed = run(require_tool("arm-none-eabi-size"), elf)[1].splitlines()[1].split()
    assert list(map(str, read_sizes(elf))) == printed[:3]


def test_optimize_reaches_the_compiler(tmp_path):
    board = load_board("mps2_an386")
    need(board, "gcc")
    cmake.project(tiny(), SELFTEST, board).write(tmp_path)
    small = cmake.build(tmp_path, board, toolchain="gcc", optimize="size")
    fast = cmake.build(tmp_path, board, toolchain="gcc", optimize="speed",
                       build_directory=tmp_path / "elsewhere")
    assert small.text < fast.text
    assert fast.elf.parent == tmp_path / "elsewhere"


def test_a_changed_header_is_compiled_again_with_zig(tmp_path):
    board = load_board("mps2_an386")
    need(board, "zig")
    cmake.project(tiny(), SELFTEST, board).write(tmp_path)
    before = cmake.build(tmp_path, board, toolchain="zig").elf.read_bytes()
    header = tmp_path / "model" / "tiny.h"
    header.write_text(header.read_text() + "#error changed\n")
    with pytest.raises(BuildFailed, match="#error changed|error: changed"):
        cmake.build(tmp_path, board, toolchain="zig")
    assert before


def test_the_compilers_last_errors_are_in_the_message(tmp_path):
    board = load_board("mps2_an386")
    need(board, "gcc")
    cmake.project(tiny(), SELFTEST, board).write(tmp_path)
    (tmp_path / "app" / "main.c").write_text("int main(void) { return missing; }\n")
    with pytest.raises(BuildFailed, match="main.c:1:.*'missing' undeclared"):
        cmake.build(tmp_path, board, toolchain="gcc")


def test_what_the_readme_says_builds_the_firmware(tmp_path):
    board = load_board("mps2_an386")
    need(board, "gcc")
    cmake.project(tiny(), SELFTEST, board).write(tmp_path)
    readme = (tmp_path / "README.md").read_text()
    commands = re.findall(r"^    (cmake .*|arm-none-eabi-size .*)$", readme, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=False,
                              env={"PATH": tools.search_path()}, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "build/default/tiny.elf").is_file()


def test_the_zig_preset_finds_the_zig_that_pip_installed(tmp_path):
    board = load_board("mps2_an386")
    require_module("ziglang")
    need(board, "zig")
    cmake.project(tiny(), SELFTEST, board).write(tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in ("cmake", "ninja"):
        (programs / program).symlink_to(tools.require(program))
    # Not a symbolic link: that would lose the virtual environment.
    (programs / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python3").chmod(0o755)
    (programs / "sh").symlink_to("/bin/sh")
    for arguments in (["--preset", "zig"], ["--build", "--preset", "zig"]):
        done = subprocess.run([programs / "cmake", *arguments], cwd=tmp_path, check=False, timeout=60,
                              env={"PATH": str(programs), "HOME": str(tmp_path),
                                   "ZIG_GLOBAL_CACHE_DIR": zig_cache()}, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "build/zig/tiny.elf").is_file()


def zig_cache():
    """zig's usual cache, or the test would compile its support library again."""
    text = tools.run([tools.require("zig"), "env"]).stdout.decode()
    return re.search(r'global_cache_dir\W+"([^"]+)"', text)[1]


def test_model_cmake_may_add_to_the_build(tmp_path):
    board = load_board("linux_host")
    need(board, "gcc")
    model = tiny()
    extra = Project.of({"model.cmake": "target_compile_definitions(edgekit_model PRIVATE MORE=1)\n",
                        "more.c": "#if MORE != 1\n#error no\n#endif\nextern int more;\nint more;\n"})
    model = type(model)(model.name, model.runtime, model.model_sha256, model.arena_size,
                        model.files.merged(extra), ("tiny.c", "more.c"), model.map)
    cmake.project(model, SELFTEST, board).write(tmp_path)
    assert run(cmake.build(tmp_path, board, toolchain="gcc").elf) == (0, PASS)


def test_a_library_links_into_a_project_of_the_users(tmp_path):
    board = load_board("linux_host")
    need(board, "gcc")
    library.project(tiny(), SELFTEST, board).write(tmp_path / "tiny")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(mine C)\nadd_subdirectory(tiny)\n"
        "add_executable(mine main.c)\ntarget_link_libraries(mine PRIVATE tiny)\n")
    (tmp_path / "main.c").write_text('#include "tiny.h"\nint main(void) { return tiny_invoke(); }\n')
    for arguments in (["-S", ".", "-B", "out", "-G", "Ninja"], ["--build", "out"]):
        done = tools.run([tools.require("cmake"), *arguments], cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
    assert run(tmp_path / "out" / "mine")[0] == 0
    with pytest.raises(UsageError, match="is a library"):
        library.build(tmp_path / "tiny", board)


@pytest.mark.parametrize(("name", "form"), [
    (name, form) for name in board_names()
    for form in ([cmake] if name in BUILT else []) + [library]])
def test_a_project_is_the_same_bytes_each_time_and_every_source_is_0bsd(form, name):
    board = load_board(name)
    project = form.project(tiny(), SELFTEST, board)
    assert project.sha256 == form.project(tiny(), SELFTEST, board).sha256
    manifest = json.loads(project["edgekit.json"])
    assert manifest["board"] == name and manifest["model"] == {"name": "tiny", "sha256": "0" * 64}
    for path, data in project.files:
        if path.endswith((".c", ".h", ".ld", ".cmake", "CMakeLists.txt")):
            assert b"SPDX-License-Identifier: 0BSD" in data.split(b"\n", 1)[0], path


def test_without_any_compiler_the_error_names_both(monkeypatch):
    monkeypatch.setattr(tools, "find", lambda program: None)
    with pytest.raises(NotThere, match="arm-none-eabi-gcc is not on PATH, and neither is zig") as caught:
        toolchains.choose(load_board("mps2_an386"))
    assert caught.value.exit == 6
    with pytest.raises(NotThere, match="zig is not on PATH"):
        toolchains.choose(load_board("mps2_an386"), "zig")


def test_zig_is_chosen_where_gcc_is_not_there(monkeypatch):
    monkeypatch.setattr(tools, "find", lambda program: "/x/zig" if program == "zig" else None)
    assert toolchains.choose(load_board("esp32c3")).kind == "zig"


def test_unknown_words_are_usage_errors():
    board = load_board("mps2_an386")
    with pytest.raises(UsageError, match="unknown toolchain 'clang'"):
        toolchains.choose(board, "clang")
    with pytest.raises(UsageError, match="unknown optimize 'fast'"):
        cmake.project(tiny(), SELFTEST, board, optimize="fast")


def test_a_file_that_is_no_elf_is_said_to_be_none(tmp_path):
    for data in (b"", b"text", b"\x7fELF\x01\x01" + bytes(20), b"\x7fELF\x09\x01" + bytes(80)):
        (tmp_path / "x.elf").write_bytes(data)
        with pytest.raises(EdgekitError, match="x.elf is not a whole ELF file"):
            read_sections(tmp_path / "x.elf")


def test_an_output_without_overflow_is_no_overflow_and_the_worst_region_is_named():
    board = load_board("nucleo_l4r5zi")
    assert linker.overflow("undefined reference to `x'", board) is None
    error = linker.overflow("ld: region `sram' overflowed by 8 bytes\n"
                            "ld: region `flash' overflowed by 1234 bytes", board)
    assert error.message.startswith("ST NUCLEO-L4R5ZI: the firmware needs 1,234 bytes more than flash")
    assert error.reasons == ("flash overflows by 1,234 bytes", "sram overflows by 8 bytes")


def test_the_second_stage_of_the_rp2040_ends_in_its_crc():
    text = (resources.folder("templates") / "port/rp2040/boot2.c").read_text()
    words = [int(w, 16) for w in re.findall(r"0x[0-9A-F]{8}(?=[,}])", text.split("boot2 = {")[1])]
    *code, expected = words
    crc = 0xFFFFFFFF
    for byte in b"".join(word.to_bytes(4, "little") for word in code).ljust(252, b"\0"):
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    assert crc == expected


@pytest.mark.parametrize("kind", ["gcc", "zig"])
def test_the_rp2350_finds_its_image_definition_behind_the_vectors(built, kind):
    """RP2350 datasheet 5.9: a block loop in the first 4 KiB; item 0x42 is IMAGE_TYPE."""
    elf = built("raspberry_pi_pico_2", kind).elf
    require_module("elftools")
    from elftools.elf.elffile import ELFFile
    with elf.open("rb") as file:
        image = next(s for s in ELFFile(file).iter_segments() if s["p_paddr"] == 0x1000_0000).data()
    start = image.index(bytes.fromhex("d3deffff"))
    assert start % 4 == 0 and 64 <= start < 4096 - 20
    words = [int.from_bytes(image[start + 4 * i:start + 4 * i + 4], "little") for i in range(5)]
    start_marker, image_type, last, next_block, end_marker = words
    assert (start_marker, end_marker) == (0xFFFF_DED3, 0xAB12_3579)
    assert image_type & 0xFFFF == 0x0142, "one word of IMAGE_TYPE"
    # An executable (1), Secure (2 << 4), for Arm (0 << 8), on the RP2350 (1 << 12).
    assert image_type >> 16 == 1 | 2 << 4 | 0 << 8 | 1 << 12
    assert (last, next_block) == (0xFF | 1 << 8, 0)
    stack, reset = (int.from_bytes(image[i:i + 4], "little") for i in (0, 4))
    assert 0x2000_0000 < stack <= 0x2008_2000 and reset & 1 and 0x1000_0000 < reset < 0x1040_0000


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, k in BUILDS if n in BARE])
def test_own_memory_functions_do_not_call_themselves(built, name, kind):
    board = load_board(name)
    objdump = require_tool(toolchains.gcc(board).compiler.removesuffix("gcc") + "objdump")
    listing = run(objdump, "-d", "--no-show-raw-insn", built(name, kind).elf)[1]
    bodies = dict(re.findall(r"^[0-9a-f]+ <(\w+)>:\n((?:.+\n)+)", listing, re.MULTILINE))
    for function in {"memcpy", "memset"} & bodies.keys():
        called = set(re.findall(r"<(\w+)>", bodies[function]))
        assert called <= {function}, f"{function} calls {called}"
        assert not re.search(rf"\s(bl|jal|call|j|b\.w|tail)\s.*<{function}>", bodies[function])
    assert "memcpy" in bodies


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """templates/port/baremetal/memory.c as a shared library of the host, names prefixed."""
    cc = require_tool("cc")
    folder = tmp_path_factory.mktemp("memory")
    for name in ("memory.c", "start.h"):
        shutil.copy(resources.folder("templates") / "port/baremetal" / name, folder)
    names = [f"-D{name}=own_{name}" for name in ("memcpy", "memmove", "memset", "memcmp")]
    done = tools.run([cc, "-shared", "-fPIC", "-O2", "-std=c11", "-fno-builtin", *names, "memory.c",
                      "-o", "memory.so"], cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return ctypes.CDLL(str(folder / "memory.so"))


def test_own_memory_functions_do_what_the_c_standard_says(memory):
    random_ = random.Random(0)
    for _ in range(2000):
        start = bytes(random_.randrange(256) for _ in range(64))
        buffer = ctypes.create_string_buffer(start, 64)
        base = ctypes.addressof(buffer)
        source, target = random_.randrange(32), random_.randrange(32)
        count = random_.randrange(32)
        memory.own_memmove(ctypes.c_void_p(base + target), ctypes.c_void_p(base + source),
                           ctypes.c_size_t(count))
        wanted = bytearray(start)
        wanted[target:target + count] = start[source:source + count]
        assert buffer.raw == bytes(wanted)
        memory.own_memset(ctypes.c_void_p(base + source), source - 16, ctypes.c_size_t(count))
        wanted[source:source + count] = bytes([source - 16 & 255]) * count
        assert buffer.raw == bytes(wanted)
        order = memory.own_memcmp(start[source:], start[target:], ctypes.c_size_t(min(count, 30)))
        left, right = start[source:][:min(count, 30)], start[target:][:min(count, 30)]
        assert order == (left > right) - (left < right)
