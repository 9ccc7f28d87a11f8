"""Every operator case's kernel equals reference() on the core it is for, bit for bit."""

from __future__ import annotations

import pytest

import case_firmware
from cases import load, samples
from conftest import require_module, require_tool
from edgekit import kernels, memory, reference, resources
from edgekit.board import load_board
from edgekit.emulators import native

CASES = [(name, graph) for name, graph in load() if memory.lower(graph)[0]]
SETS = kernels.known()


@pytest.mark.parametrize("toolchain, name", [
    ("gcc", "mps2_an386"), pytest.param("gcc", "raspberry_pi_pico", marks=pytest.mark.slow),
    pytest.param("gcc", "qemu_riscv32", marks=pytest.mark.slow),
    pytest.param("gcc", "mps2_an385", marks=pytest.mark.slow),
    pytest.param("zig", "raspberry_pi_pico", marks=pytest.mark.slow),
    pytest.param("zig", "qemu_riscv32", marks=pytest.mark.slow),
    pytest.param("zig", "mps2_an386", marks=pytest.mark.slow)])
def test_every_case_on_an_emulated_core_equals_the_reference(toolchain, name, tmp_path):
    run_on(name, load_board(name).cpu.kernels, toolchain, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name, sets", [("mps2_an386", ()), ("mps2_an500", ("dsp",)),
                                        ("mps2_an505", ("dsp",))])
def test_portable_kernels_on_a_core_that_has_better_ones_and_those_on_other_cores(name, sets,
                                                                                tmp_path):
    run_on(name, sets, "gcc", tmp_path)


def run_on(name: str, sets: tuple[str, ...], toolchain: str, folder) -> None:
    for module in ("unicorn", "capstone", "elftools", *(["ziglang"] * (toolchain == "zig"))):
        require_module(module)
    board = load_board(name)
    if toolchain == "gcc":
        require_tool({"riscv32-unknown-elf": "riscv64-unknown-elf-gcc"}.get(
            board.toolchain, f"{board.toolchain}-gcc"))
    from edgekit.emulators.unicorn import open_machine
    cases = [(case, graph) for case, graph in CASES
             if not sets or memory.lower(graph) != memory.lower(graph, sets)]
    codes = [case_firmware.code_of(graph, i, sets) for i, (_, graph) in enumerate(cases)]
    firmware = case_firmware.build(codes, board, folder, toolchain)
    with open_machine(firmware, board, codes[0].map) as machine:
        for (case, graph), code in zip(cases, codes, strict=True):
            check(graph, case_firmware.link_to(machine, code), case)


@pytest.mark.parametrize("name", SETS)
def test_the_c_twins_of_a_set_equal_the_reference_and_compile_without_a_warning(name, tmp_path):
    if not native.available():
        require_tool("cc")
    cases = [(case, graph) for case, graph in CASES
             if memory.lower(graph, (name,)) != memory.lower(graph)]
    codes = [case_firmware.code_of(graph, i, (name,)) for i, (_, graph) in enumerate(cases)]
    library = native.build_library(codes, tmp_path, (
        "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"))
    for (case, graph), code in zip(cases, codes, strict=True):
        check(graph, native.NativeLink(code, library), case)


@pytest.mark.parametrize("name", SETS)
def test_every_kernel_of_a_set_runs_in_some_case(name):
    used = {call.kernel for _, graph in CASES for lowered in memory.lower(graph, (name,))
            for call in lowered}
    files = {path.stem for path in (resources.folder("templates") / "kernels").glob(f"*_{name}.c")}
    assert files and files == {kernel for kernel in used if kernel.endswith(f"_{name}")}


def check(graph, link, case: str) -> None:
    for sample in samples(graph):
        link.load(tuple(value.tobytes() for value in sample))
        values = reference.run(graph, sample)
        assert link.infer().outputs == tuple(values[i].tobytes() for i in graph.outputs), case
