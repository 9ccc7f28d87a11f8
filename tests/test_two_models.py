"""Two models in one program: kernels compiled once, an arena each or one for both."""

from __future__ import annotations

import functools
import re

from conftest import require_tool
from standins import TFLM_DOUBLE, WARNINGS
from tiny_graphs import all_graphs

from edgekit import targets, tflite_writer, tools
from edgekit.board import load_board
from edgekit.builders import cmake, layout
from edgekit.model import model_of
from edgekit.project import compose, model_code

NAMES = ("tiny_network", "two_inputs")
MAIN = """\
#include <stdint.h>
#include <stdio.h>

#include "tiny_network.h"
#include "two_inputs.h"

int network_selftest(void);
int inputs_selftest(void);

#ifdef TINY_NETWORK_EXTERNAL_ARENA
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
static _Alignas(16) uint8_t arena[LARGER(TINY_NETWORK_ARENA_SIZE, TWO_INPUTS_ARENA_SIZE)];
#endif

int main(void)
{
#ifdef TINY_NETWORK_EXTERNAL_ARENA
    tiny_network_set_arena(arena);
    two_inputs_set_arena(arena);
    printf("%d ", tiny_network_input_at(0) != NULL && (uint8_t *)two_inputs_input_at(0) >= arena &&
                      (uint8_t *)two_inputs_input_at(0) < arena + sizeof(arena));
#else
    /* Neither writes what the other holds. */
    *(int8_t *)two_inputs_input_at(0) = 77;
#endif
    for (int round = 0; round < 3; round++) {
        printf("%d", network_selftest());
#ifndef TINY_NETWORK_EXTERNAL_ARENA
        if (round == 0) {
            printf("%d", *(int8_t *)two_inputs_input_at(0) == 77);
        }
#endif
        printf("%d", inputs_selftest());
    }
    return 0;
}
"""


@functools.cache
def model(name: str):
    return model_of(tflite_writer.write(all_graphs()[name]), name)


def add_library(folder, name: str, runtime: str = "aot", board: str = "linux_host") -> None:
    chosen = load_board(board)
    compose(model(name), model_code(model(name), chosen, runtime), chosen, "library"
            ).write(folder / name)


def add_selftest(folder, name: str, function: str) -> None:
    """The model's golden vectors behind a function of its own name."""
    board = load_board("linux_host")
    app = layout.app_part(model_code(model(name), board, "aot"), targets.selftest(model(name)), board)
    (folder / "selftest.h").write_bytes(app["app/selftest.h"])
    text = app["app/selftest.c"].decode().replace("int selftest(", f"static int {function}_run(")
    text = text.replace('#include "selftest.h"', '#include "selftest.h"\n'
                        f"int {function}_selftest(void);")
    (folder / f"{function}.c").write_text(
        text + f"\nint {function}_selftest(void) {{ struct selftest_difference d; "
        f"return {function}_run(&d); }}\n")


def built(folder, more: str = "") -> tuple[int, str]:
    """(exit code, output) of a project of the user's with both libraries."""
    for program in ("cmake", "ninja", "cc", "c++"):
        require_tool(program)
    add_selftest(folder, "tiny_network", "network")
    add_selftest(folder, "two_inputs", "inputs")
    (folder / "main.c").write_text(MAIN)
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(both C CXX)\n"
        "add_executable(both main.c network.c inputs.c)\n" + more
        + "add_subdirectory(tiny_network)\nadd_subdirectory(two_inputs)\n"
        "target_link_libraries(both PRIVATE tiny_network two_inputs)\n")
    commands = [[tools.require("cmake"), "-S", str(folder), "-B", str(folder / "b"), "-G", "Ninja",
                 "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"],
                [tools.require("cmake"), "--build", str(folder / "b")], [str(folder / "b" / "both")]]
    for command in commands:
        done = tools.run(command, env={"CFLAGS": WARNINGS, "CXXFLAGS": WARNINGS})
        if done.returncode:
            break
    return done.returncode, (done.stdout + done.stderr).decode()


def test_two_models_with_an_arena_each_compute_their_own_numbers_and_share_kernels(tmp_path):
    for name in NAMES:
        add_library(tmp_path, name)
    assert built(tmp_path) == (0, "1111111")
    commands = (tmp_path / "b/compile_commands.json").read_text()
    compiled = re.findall(r"-c [^ ]*/kernels/(\w+\.c)", commands)
    used = [{p.name for p in (tmp_path / name / "model/kernels").glob("*.c")} for name in NAMES]
    assert "add_s8.c" in used[0] & used[1], "the models share a kernel, or this shows nothing"
    assert sorted(compiled) == sorted(used[0] | used[1])


def test_two_models_that_never_run_at_once_share_an_arena(tmp_path):
    for name in NAMES:
        add_library(tmp_path, name)
    shared = "add_compile_definitions(TINY_NETWORK_EXTERNAL_ARENA TWO_INPUTS_EXTERNAL_ARENA)\n"
    assert built(tmp_path, f"{shared}target_compile_definitions(both PRIVATE "
                 "TINY_NETWORK_EXTERNAL_ARENA TWO_INPUTS_EXTERNAL_ARENA)\n") == (0, "1 111111")


def test_kernels_of_different_versions_are_refused(tmp_path):
    for name in NAMES:
        add_library(tmp_path, name)
    kernel = tmp_path / "two_inputs/model/kernels/add_s8.c"
    kernel.write_text(kernel.read_text() + "/* another version */\n")
    code, output = built(tmp_path)
    assert code != 0 and "different versions of add_s8.c" in " ".join(output.split())


def test_models_of_both_runtimes_live_in_one_program(tmp_path):
    """tiny_network ahead of time, two_inputs in TFLite Micro (its double)."""
    add_library(tmp_path, "tiny_network")
    add_library(tmp_path, "two_inputs", "tflm")
    from edgekit.model import compile_plan
    from edgekit.runtimes import aot
    graph, _, plan = compile_plan(model("two_inputs"))
    aot.generate(graph, plan, "double_model", "0" * 64, "any").files.write(tmp_path / "double")
    assert built(tmp_path, f"set(TFLM_DOUBLE_MODEL {tmp_path / 'double'})\n"
                 f"set(TFLM_DOUBLE_ARENA 512)\ninclude({TFLM_DOUBLE})\n") == (0, "1111111")


def test_a_firmware_takes_a_second_model_as_a_library(tmp_path):
    """The form cmake for a board, and a library in its folder: what the README of it says."""
    board = load_board("mps2_an386")
    require_tool("arm-none-eabi-gcc")
    code = model_code(model("tiny_network"), board, "aot")
    compose(model("tiny_network"), code, board, "cmake").write(tmp_path)
    add_library(tmp_path, "two_inputs", board="mps2_an386")
    add_selftest(tmp_path / "app", "two_inputs", "inputs")
    with (tmp_path / "CMakeLists.txt").open("a") as file:
        file.write("add_subdirectory(two_inputs)\ntarget_sources(tiny_network PRIVATE app/inputs.c)\n"
                   "target_link_libraries(tiny_network PRIVATE two_inputs)\n")
    main = tmp_path / "app/main.c"
    text = main.read_text().replace("int main(void)\n{", "int inputs_selftest(void);\n\n"
                                    "int main(void)\n{", 1)
    main.write_text(text.replace("    edgekit_ready();\n", "    print(inputs_selftest() ? "
                                 '"second PASS\\n" : "second FAIL\\n");\n    edgekit_ready();\n', 1))
    elf = cmake.build(tmp_path, board, toolchain="gcc", emulated=True).elf
    qemu = require_tool("qemu-system-arm")
    done = tools.run([qemu, "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial",
                      "stdio", "-semihosting", "-kernel", str(elf)], timeout_s=30)
    assert done.stdout.decode() == "edgekit tiny_network: self-test PASS\nsecond PASS\n"
