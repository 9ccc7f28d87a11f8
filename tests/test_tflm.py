"""The tflm runtime: projects compiled against the double, and the arena that the wheel measures."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import os
import random
import re
from dataclasses import replace

import pytest
from conftest import require_models, require_module, require_tool
from tflm_project import (DOUBLE, DoubledProject, clustered, little, quartered, run_firmware, selftest_of, tflm_sources,
                          two_of_each, written)

from edgekit import ops, resources, tflite, tools
from edgekit.board import load_board
from edgekit.builders import cmake, library
from edgekit.errors import BadModel, BuildFailed, EdgekitError, NotThere, UsageError
from edgekit.graph import DType, Graph, Op, Tensor
from edgekit.model import model_of
from edgekit.project import model_code
from edgekit.runtimes import arena_probe, cmsis_nn, tflm, tflm_arena, tflm_ops

BOARDS = ("linux_host", "mps2_an386")
GRAPHS = {"little": little, "two_of_each": two_of_each}
PUBLIC = {"kws": "kws_ref_model", "ic": "pretrainedResnet_quant", "vww": "vww_96_int8",
          "ad": "ad01_int8", "hello_world": "hello_world_int8"}
# Bytes. What the wheel's AllocateTensors needs; what it needed on a real build of TFLite Micro
# with CMSIS-NN, on Cortex-M4 and (where known) on Cortex-M55.
MEASURED = {"kws": 24_272, "ic": 55_984, "vww": 103_680, "ad": 4_640, "hello_world": 1_936}
ON_M4 = {"kws": 22_832, "ic": 55_008, "vww": 100_720, "ad": 3_024, "hello_world": 1_168}
ON_M55 = {"kws": 27_348, "ad": 9_268}


def public(name: str) -> bytes:
    return (require_models() / f"{PUBLIC[name]}.tflite").read_bytes()


# Projects, compiled and run


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_generated_project_compiles_against_the_double_and_passes_its_self_test(
        tmp_path, graph, board):
    project = DoubledProject(tmp_path, written(GRAPHS[graph]()), graph, board).built()
    assert project.run() == (0, f"edgekit {graph}: self-test PASS\n")


@pytest.mark.parametrize("board", BOARDS)
def test_the_public_keyword_model_compiles_against_the_double_and_passes(tmp_path, board):
    project = DoubledProject(tmp_path, public("kws"), "kws", board).built()
    assert project.run() == (0, "edgekit kws: self-test PASS\n")


@pytest.mark.parametrize("board", BOARDS)
def test_a_missing_registration_fails_in_the_firmware_with_the_arenas_bytes(tmp_path, board):
    project = DoubledProject(tmp_path, written(little()), "little", board)
    project.edit("model/little.cc", "kOperators = 6;", "kOperators = 5;")
    source = (project.folder / "model/little.cc").read_text()
    line = re.search(r".*AddDepthwiseConv2D.*\n", source)[0]
    project.edit("model/little.cc", line, "")
    code, output = project.built().run()
    size = project.code.arena_size
    assert code == 1
    assert (f"edgekit little: AllocateTensors failed: arena needed {size} bytes (estimated), "
            f"available {size}, used so far 0") in output
    assert "self-test FAIL" in output


@pytest.mark.parametrize("count", (5, 7))
def test_a_wrong_number_of_registrations_does_not_compile(tmp_path, count):
    project = DoubledProject(tmp_path, written(little()), "little", "linux_host")
    project.edit("model/little.cc", "kOperators = 6;", f"kOperators = {count};")
    code, output = project.build()
    assert code != 0
    assert "the resolver's size and the number of registrations differ" in output


def test_without_the_assertion_a_resolver_that_is_too_small_fails_in_the_firmware(tmp_path):
    project = DoubledProject(tmp_path, written(little()), "little", "linux_host")
    project.edit("model/little.cc", "kOperators = 6;", "kOperators = 5;")
    project.edit("model/little.cc", "== kOperators,", "!= 0,")
    code, output = project.built().run()
    assert code == 1
    assert "registering operators failed" in output


def test_a_registration_of_another_operators_kernel_fails_in_the_firmware(tmp_path):
    project = DoubledProject(tmp_path, written(little()), "little", "linux_host")
    project.edit("model/little.cc", "tflite::Register_CONV_2D_INT8()",
                 "tflite::Register_FULLY_CONNECTED_INT8()")
    assert project.built().run()[0] == 1


@pytest.mark.parametrize("board", BOARDS)
def test_an_arena_that_is_too_small_fails_with_needed_and_available_bytes(tmp_path, board):
    project = DoubledProject(tmp_path, written(little()), "little", board)
    small = project.arena - 16
    project.edit("model/little.h", f"LITTLE_ARENA_SIZE {project.code.arena_size} ",
                 f"LITTLE_ARENA_SIZE {small} ")
    code, output = project.built().run()
    assert code == 1
    assert (f"arena needed {project.code.arena_size} bytes (estimated), available {small}, "
            f"used so far {small}") in output


def test_a_damaged_model_array_fails_in_the_firmware(tmp_path):
    project = DoubledProject(tmp_path, written(little()), "little", "linux_host")
    project.edit("model/little_model.cc", "84, 70, 76, 51,", "84, 70, 76, 52,")
    assert project.built().run()[0] == 1


def test_an_external_arena_is_used_and_its_absence_is_a_failed_inference(tmp_path):
    project = DoubledProject(tmp_path, written(little()), "little", "linux_host")
    project.edit("app/main.c", "int main(void)\n{", """\
static _Alignas(16) uint8_t shared[LITTLE_ARENA_SIZE];
int main(void)
{
    if (little_invoke() == 0) { return 3; }
    little_set_arena(shared);""")
    with (project.folder / "CMakeLists.txt").open("a") as file:
        file.write("\nadd_compile_definitions(LITTLE_EXTERNAL_ARENA)\n"
                   "target_compile_definitions(edgekit_model PUBLIC LITTLE_EXTERNAL_ARENA)\n")
    assert project.built().run() == (0, "edgekit little: self-test PASS\n")


def test_the_messages_of_tflite_micro_are_formatted_without_stdio(tmp_path):
    compiler = require_tool("c++")
    (tmp_path / "main.cc").write_text(r"""
#include <cstdarg>
#include <cstddef>
#include <cstdio>
extern "C" void DebugLog(const char *format, va_list arguments);
extern "C" int DebugVsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
extern "C" void edgekit_puts(const char *text) { fputs(text, stdout); }
static void log(const char *format, ...) { va_list a; va_start(a, format); DebugLog(format, a); va_end(a); }
static int print(char *to, size_t size, const char *format, ...) {
  va_list a; va_start(a, format); int n = DebugVsnprintf(to, size, format, a); va_end(a); return n; }
int main() {
  log("Failed to resize buffer. Requested: %u, available %lu, missing: %d\n", 4000000000u, 12ul, -3);
  log("%s %c %x %5.2f %zu %lld %% %i\n", "a long text, longer than the buffer that it is copied through, and more",
      'z', 255, -1.5, (size_t)7, -9223372036854775807ll - 1, 0);
  char eight[8];
  printf("%d %s\n", print(eight, sizeof eight, "%d-%s", 12, "abcdefgh"), eight);
}
""")
    source = resources.folder("templates") / "tflm" / "edgekit_tflm_log.cc"
    built = tools.run([compiler, "-std=c++17", "-Wall", "-Wextra", "-Wconversion", "-Wshadow",
                       "-pedantic", "-Werror", str(source), str(tmp_path / "main.cc"), "-o",
                       str(tmp_path / "log")])
    assert built.returncode == 0, built.stderr.decode()
    assert tools.run([str(tmp_path / "log")]).stdout.decode().splitlines() == [
        "Failed to resize buffer. Requested: 4000000000, available 12, missing: -3",
        "a long text, longer than the buffer that it is copied through, and more z ff -1.500 7 "
        "-9223372036854775808 % 0", "7 12-abcd"]


def test_a_library_links_into_a_users_project_that_has_tflite_micro(tmp_path):
    doubled = DoubledProject(tmp_path, written(little()), "little", "linux_host")
    library.project(doubled.code, selftest_of(little()), doubled.board).write(tmp_path / "user/little")
    (tmp_path / "user/main.c").write_text(
        '#include "little.h"\nint main(void) { return little_invoke() + !little_input(); }\n')
    (tmp_path / "user/CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.20)
project(user C CXX)
set(TFLM_DOUBLE_MODEL {doubled.backing})
set(TFLM_DOUBLE_ARENA {doubled.arena})
include({DOUBLE / 'tflm_double.cmake'})
add_subdirectory(little)
add_executable(user main.c)
target_link_libraries(user PRIVATE little)
""")
    cmake_program = require_tool("cmake")
    for command in ([cmake_program, "-S", str(tmp_path / "user"), "-B", str(tmp_path / "b"), "-G",
                     "Ninja", f"-DCMAKE_MAKE_PROGRAM={require_tool('ninja')}"],
                    [cmake_program, "--build", str(tmp_path / "b")], [str(tmp_path / "b/user")]):
        done = tools.run(command)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("wanted", ("auto", "gcc"))
def test_without_a_cxx_compiler_for_the_board_the_error_names_it(tmp_path, monkeypatch, wanted):
    project = DoubledProject(tmp_path, written(little()), "little", "mps2_an386")
    find = tools.find
    monkeypatch.setattr(tools, "find", lambda name: None if name.endswith("g++") else find(name))
    with pytest.raises(NotThere, match="arm-none-eabi-g.. is not on PATH") as caught:
        cmake.build(project.folder, project.board, toolchain=wanted)
    assert "--runtime aot" in caught.value.hint


def test_zig_is_refused_for_a_bare_metal_project_and_not_among_its_presets(tmp_path):
    project = DoubledProject(tmp_path, written(little()), "little", "mps2_an386")
    with pytest.raises(UsageError, match="zig has no C.. library for bare metal"):
        cmake.build(project.folder, project.board, toolchain="zig")
    presets = json.loads((project.folder / "CMakePresets.json").read_text())["configurePresets"]
    assert [preset["name"] for preset in presets] == ["default", "emulated"]


def test_a_tflm_dir_without_tflite_micro_is_said_to_be_none(tmp_path, monkeypatch):
    require_tool("ninja")
    project = DoubledProject(tmp_path, written(little()), "little", "linux_host")
    monkeypatch.setenv("TFLM_DIR", str(tmp_path))
    with pytest.raises(BuildFailed, match="holds no TFLite Micro"):
        cmake.build(project.folder, project.board, toolchain="gcc")


# What is generated


def test_the_same_model_gives_the_same_bytes_and_every_source_is_0bsd():
    model = written(little())
    code = tflm.generate(model, tflite.read(model), "little", load_board("mps2_an386"))
    again = tflm.generate(model, tflite.read(model), "little", load_board("mps2_an386"))
    assert code.files.sha256 == again.files.sha256
    for path, data in code.files.files:
        assert path.endswith(".json") or b"SPDX-License-Identifier: 0BSD" in data[:200], path


def test_the_model_array_holds_the_files_bytes_and_the_map_its_sha256():
    model = written(two_of_each())
    code = tflm.generate(model, tflite.read(model), "two", None)
    body = code.files["two_model.cc"].decode().split("= {")[1].split("};")[0]
    assert bytes(int(value) for value in body.split(",")) == model
    assert code.model_sha256 == hashlib.sha256(model).hexdigest() == code.map["model_sha256"]
    assert json.loads(code.files["two.map.json"]) == code.map
    assert [entry["offset"] for entry in code.map["inputs"]] == [None, None]
    assert code.map["arena"]["symbol"] == "two_arena"


def test_int8_operators_get_int8_registrations_with_their_headers_and_others_plain_ones():
    model = written(little())
    source = tflm.generate(model, tflite.read(model), "little", None).files["little.cc"].decode()
    assert "resolver.AddConv2D(tflite::Register_CONV_2D_INT8())" in source
    assert '#include "tensorflow/lite/micro/kernels/conv.h"' in source
    assert "resolver.AddReshape()" in source


def test_only_the_kernels_of_the_model_are_compiled():
    assert tflm_ops.kernel_files(two_of_each()) == ("activations", "activations_common", "add",
                                                    "add_common")


def test_operators_that_tflite_micro_lacks_are_all_named():
    graph = Graph("odd", (), (Op("SIGN", (), ()), Op("ADD", (), ()), Op("CUSTOM:Mine", (), ())),
                  (), ())
    with pytest.raises(BadModel, match="TFLite Micro has no CUSTOM:Mine .and not SIGN") as caught:
        tflm_ops.registrations(graph)
    assert len(caught.value.reasons) == 2


def test_a_name_that_is_no_c_identifier_is_a_usage_error():
    model = written(little())
    with pytest.raises(UsageError):
        tflm.generate(model, tflite.read(model), "Little Model", None)


def test_every_operator_of_edgekit_has_a_registration_and_the_double_declares_every_builtin():
    assert set(ops.kinds()) <= set(tflm_ops.METHODS)
    header = (DOUBLE / "include/tensorflow/lite/micro/micro_mutable_op_resolver.h").read_text()
    declared = dict(re.findall(r"(?:METHOD|FIXED)\((\w+), (\w+), \d+\)", header))
    methods = {method: kind for kind, (method, _) in tflm_ops.METHODS.items()
               if not kind.startswith("CUSTOM:")} | {"Decode": "DECODE"}
    assert declared == methods


# The arena


@pytest.mark.parametrize("name", PUBLIC)
def test_the_arena_of_a_public_model_is_what_the_wheel_measures(name):
    require_module("tflite_micro")
    model = public(name)
    assert tflm_arena.measure(model, tflite.read(model)) == MEASURED[name]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_arena_reserved_covers_what_real_builds_needed(name, monkeypatch):
    model, graph = public(name), tflite.read(public(name))
    monkeypatch.setattr(tflm_arena, "measure", lambda model, graph: MEASURED[name])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    need = tflm_arena.arena_need(model, graph, load_board("mps2_an386"))
    assert need.library == "cmsis_nn"
    assert ON_M4[name] <= need.size <= 1.1 * MEASURED[name]
    if name in ON_M55:
        scratch, persistent = cmsis_nn.buffers(graph, "cortex-m55")
        assert MEASURED[name] + max(scratch) + sum(persistent) >= ON_M55[name]


@pytest.mark.parametrize("name", PUBLIC)
def test_without_the_wheel_the_arena_is_an_estimate_that_says_so_and_is_not_too_small(
        name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    need = tflm_arena.arena_need(public(name), tflite.read(public(name)), None)
    assert need.method == "estimated"
    assert MEASURED[name] <= need.size <= 1.4 * MEASURED[name] + 1024


def test_the_search_finds_the_smallest_size_that_works_or_says_there_is_none():
    for least in (1, 16, 17, 4096, 65_520):
        assert arena_probe.smallest(lambda size: size >= least, 65_536) == -(-least // 16) * 16
    assert arena_probe.smallest(lambda size: size >= 70_000, 65_536) is None


def test_a_model_that_tflite_micro_refuses_is_an_error_and_not_an_arena():
    require_module("tflite_micro")
    graph = two_of_each()
    tensors = list(graph.tensors)
    tensors[2] = replace(tensors[2], dtype=DType.INT16)  # the sum of two int8 is no int16
    with pytest.raises(BadModel, match="TensorFlow Lite Micro cannot run the model in .* bytes"):
        broken = replace(graph, tensors=tuple(tensors))
        tflm_arena.measure(written(broken), broken)


def test_a_model_that_crashes_tflite_micro_crashes_the_child_and_is_an_error():
    require_module("tflite_micro")
    graph = little()
    without_bias = replace(graph.ops[1], inputs=(2, 3, -1))
    graph = replace(graph, ops=(graph.ops[0], without_bias, *graph.ops[2:]))
    with pytest.raises(EdgekitError, match="TensorFlow Lite Micro ended while it searched"):
        tflm_arena.measure(written(graph), graph)


# The real thing


@pytest.mark.external
def test_the_table_of_registrations_is_that_of_the_checkout():
    root = tflm_sources() / "tensorflow/lite/micro"
    text = (root / "micro_mutable_op_resolver.h").read_text()
    methods = set(re.findall(r"TfLiteStatus Add(\w+)\(", text)) - {"Custom", "Builtin"}
    assert methods == {method for method, _ in tflm_ops.METHODS.values()}
    for kind in tflm_ops.METHODS:
        int8 = tflm_ops._INT8.get(kind)
        if int8:
            assert f"Register_{kind}_INT8()" in (root / f"kernels/{int8}.h").read_text()


def windowed(rng: random.Random, kind: str) -> Graph | None:
    """One convolution of a random shape; None where the filter does not fit."""
    height, width, channels = rng.choice([1, 1, 5, 10]), rng.randint(3, 20), rng.choice([1, 3, 4, 64])
    filter_h, filter_w, dilation = rng.choice([1, 1, 3]), rng.choice([1, 3, 4, 10]), rng.choice([1, 1, 2])
    outputs = rng.choice([1, 8, 9]) if kind == "CONV_2D" else channels * rng.choice([1, 1, 2, 9])
    weights = (outputs, filter_h, filter_w, channels) if kind == "CONV_2D" else (
        1, filter_h, filter_w, outputs)
    options = ops.get(kind).Options(padding=rng.randint(0, 1), stride_h=rng.randint(1, 2),
                                    stride_w=rng.randint(1, 3), dilation_h=dilation,
                                    dilation_w=dilation)
    op = Op(kind, (0, 1), (2,), options)

    def graph(height_out: int, width_out: int) -> Graph:
        shapes = ((1, height, width, channels), weights, (1, height_out, width_out, outputs))
        return Graph("g", tuple(Tensor("t", shape, DType.INT8) for shape in shapes), (op,), (0,), (2,))

    rows, columns = ops.get(kind).axes(graph(1, 1), op)
    fits = min(rows.output, columns.output) >= 1
    return graph(rows.output, columns.output) if fits else None


@pytest.mark.external
@pytest.mark.parametrize("kind, name, counts", (
    ("CONV_2D", "arm_convolve_wrapper_s8_get_buffer_size", ()),
    ("DEPTHWISE_CONV_2D", "arm_depthwise_conv_wrapper_s8_get_buffer_size", (1,))))
def test_the_formulas_are_those_of_cmsis_nn(tmp_path, kind, name, counts):
    folder = os.environ.get("TFLM_CMSIS_NN_DIR", "")
    if not folder:
        pytest.skip("TFLM_CMSIS_NN_DIR is not set to a CMSIS-NN checkout")
    library = tmp_path / "sizes.so"
    sources = [f"{folder}/Source/ConvolutionFunctions/arm_{part}_get_buffer_sizes_s8.c"
               for part in ("convolve", "depthwise_conv")]
    built = tools.run([require_tool("cc"), "-shared", "-fPIC", "-w", "-DARM_NN_ENABLE_F16=0",
                       "-DARM_NN_ENABLE_F32=0", f"-I{folder}/Include", "-o", str(library), *sources])
    assert built.returncode == 0, built.stderr.decode()
    functions, rng = ctypes.CDLL(str(library)), random.Random(1)

    def numbers(*values: int):
        return (ctypes.c_int32 * len(values))(*values)

    for graph in filter(None, (windowed(rng, kind) for _ in range(3000))):
        source, weights, target = (tensor.shape for tensor in graph.tensors)
        rows, columns = ops.get(kind).axes(graph, graph.ops[0])
        params = numbers(0, 0, *counts, columns.stride, rows.stride, columns.pad, rows.pad,
                         columns.dilation, rows.dilation, -128, 127)
        for extension, core in (("dsp", "cortex-m4"), ("mve", "cortex-m55")):
            theirs = getattr(functions, f"{name}_{extension}")(
                params, numbers(*source), numbers(*weights), numbers(*target))
            assert cmsis_nn.buffers(graph, core)[0] == [theirs], graph


@pytest.mark.external
@pytest.mark.parametrize("board", BOARDS)
def test_firmware_with_the_real_tflite_micro_passes_its_self_test(tmp_path, board):
    tflm_sources()
    assert run_real(tmp_path, little(), load_board(board)) == (
        0, "edgekit little: self-test PASS\n")


@pytest.mark.external
@pytest.mark.parametrize("board", BOARDS)
def test_the_real_tflite_micro_computes_with_int4_weights(tmp_path, board):
    tflm_sources()
    assert run_real(tmp_path, quartered(), load_board(board)) == (
        0, "edgekit quartered: self-test PASS\n")


@pytest.mark.external
@pytest.mark.parametrize("board", BOARDS)
def test_the_real_tflite_micro_decodes_look_up_tables_on_the_target(tmp_path, board):
    tflm_sources()
    assert run_real(tmp_path, clustered(), load_board(board), "size") == (
        0, "edgekit clustered: self-test PASS\n")


def run_real(folder, graph: Graph, board, optimize: str = "balanced"):
    """(exit code, output) of a graph's firmware, the self-test's numbers from the reference."""
    model = model_of(written(graph), graph.name)
    code = model_code(model, board, "tflm", optimize)
    assert ("AddDecode" in code.files[f"{graph.name}.cc"].decode()) == (optimize == "size")
    cmake.project(code, selftest_of(graph), board).write(folder)
    firmware = cmake.build(folder, board, toolchain="gcc", emulated=True)
    return run_firmware(firmware.elf, board.name)
