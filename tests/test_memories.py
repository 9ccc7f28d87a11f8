"""Memories: the arena goes where it fits, hot constants into RAM where that is faster."""

from __future__ import annotations

import functools
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from conftest import require_module, require_tool
from tiny_graphs import all_graphs

from edgekit import memories, pipeline, samples, targets, text, tflite_writer, toolchains, workspace
from edgekit.board import Memory, load_board
from edgekit.builders import cmake
from edgekit.emulators.elf import Program
from edgekit.golden import Golden
from edgekit.model import model_of


@functools.cache
def model(name: str = "tiny_network"):
    return model_of(tflite_writer.write(all_graphs()[name]), name)


def board(**sizes: int):
    """mps2_an386 with memories of other sizes in bytes."""
    real = load_board("mps2_an386")
    return replace(real, memory=tuple(replace(m, size=sizes.get(m.name, m.size))
                                      for m in real.memory))


def test_the_arena_goes_into_the_fastest_memory_that_holds_it():
    two = replace(load_board("mps2_an386"), memory=(
        Memory("flash", "flash", 0, 1 << 20),
        Memory("slow", "ram", 1 << 28, 1 << 20, wait_states=4),
        Memory("fast", "ram", 1 << 29, 1 << 14)))
    assert memories.arena_memory(two, (1 << 14) - memories.STACK_SIZE).name == "fast"
    assert memories.arena_memory(two, (1 << 14) - memories.STACK_SIZE + 1).name == "slow"
    assert memories.arena_memory(two, 1 << 21).name == "slow", "the largest says what is missing"
    assert memories.arena_memory(load_board("linux_host"), 1 << 20) is None


def test_an_arena_lies_in_one_memory_so_that_the_largest_is_the_limit():
    assert memories.largest_arena(board(ssram23=1 << 14, psram=1 << 15)) == 1 << 15
    assert memories.largest_arena(load_board("raspberry_pi_4")) == 0


def test_what_is_read_most_often_goes_into_ram_first_and_what_is_read_once_never():
    constants = [("once", 10, 1), ("weights", 100, 50), ("bias", 8, 50), ("big", 1000, 90),
                 ("table", 60, 2)]
    assert memories.hot(constants, 0) == frozenset()
    assert memories.hot(constants, 107) == {"bias", "table"}
    assert memories.hot(constants, 108) == {"bias", "weights"}
    assert memories.hot(constants, 10_000) == {"bias", "weights", "big", "table"}


def test_constants_take_half_of_the_ram_that_is_left_with_optimize_speed_and_a_slow_flash_only():
    pico = load_board("raspberry_pi_pico")
    left = pico.ram_size - 4096 - 1000
    assert memories.ram_for_constants(pico, 1000, "speed") == left // 2
    assert memories.ram_for_constants(pico, 1000, "balanced") == 0
    assert memories.ram_for_constants(load_board("mps2_an386"), 1000, "speed") == 0


@pytest.mark.parametrize("kind", ["gcc", pytest.param("zig", marks=pytest.mark.slow)])
def test_firmware_runs_with_its_arena_in_a_second_memory(kind):
    require_module("unicorn")
    small = board(ssram23=memories.STACK_SIZE + 256, ssram1=1 << 20)
    chain = toolchains.gcc(small) if kind == "gcc" else toolchains.zig(small)
    require_tool(chain.compiler)
    code = targets.aot_code(model(), small)
    assert code.arena_size > 256
    project = cmake.project(code, targets.selftest(model()), small)
    firmware = workspace.built(project, small, kind, "balanced")
    with closing(Program(firmware.elf)) as program:
        arena = program.symbol(f"{code.name}_arena")
    psram = small.memory[-1]
    assert psram.name == "psram" and psram.origin <= arena < psram.origin + psram.size
    golden = Golden(model(), of_reference=True)
    for engine in ("unicorn", "qemu"):
        if engine == "qemu":
            require_tool("qemu-system-arm")
        with targets.open_firmware(engine, firmware, small, code.map) as machine:
            assert "self-test PASS" in machine.transcript
            for sample in samples.random_samples(model().graph, 2):
                golden.run(sample)
                machine.load(tuple(value.tobytes() for value in sample))
                for index, got in zip(model().graph.outputs, machine.infer().outputs, strict=True):
                    assert got == np.ascontiguousarray(golden.tensor(index)).tobytes()


@pytest.mark.parametrize(("name", "kind"), [
    pytest.param("raspberry_pi_pico", "zig", marks=pytest.mark.slow), ("nucleo_l4r5zi", "gcc")])
def test_hot_constants_lie_in_ram_compute_the_same_and_save_cycles(monkeypatch, name, kind):
    require_module("unicorn")
    chosen = load_board(name)
    require_tool((toolchains.gcc(chosen) if kind == "gcc" else toolchains.zig(chosen)).compiler)
    fast = pipeline.profile(model(), name, runtime="aot", optimize="speed", toolchain=kind)
    assert pipeline.validate(model(), name, optimize="speed", toolchain=kind, count=5)["ok"]
    code = targets.aot_code(model(), chosen, "speed")
    hot = [row for row in code.map["constants"] if row["kind"] == "ram"]
    project = cmake.project(code, targets.selftest(model()), chosen, optimize="speed")
    with closing(Program(workspace.built(project, chosen, kind, "speed").elf)) as program:
        (ram,) = chosen.memories("ram")
        for row in code.map["constants"]:
            at = program.symbol(row["symbol"])
            assert (ram.origin <= at < ram.origin + ram.size) == (row in hot), row
    assert fast["ram"]["static"] >= sum(row["bytes"] for row in hot) > 0

    monkeypatch.setattr(memories, "ram_for_constants", lambda *_: 0)
    slow = pipeline.profile(model(), name, runtime="aot", optimize="speed", toolchain=kind)
    assert fast["time"]["instructions"] == slow["time"]["instructions"]
    saved = slow["time"]["cycles"][1] - fast["time"]["cycles"][1]
    # The whole of it fits into the RP2040's 16 KiB cache.
    assert saved > 0 if name == "nucleo_l4r5zi" else saved == 0
    assert fast["flash"]["weights"] == slow["flash"]["weights"]


def test_profile_and_generate_print_what_lies_where(tmp_path):
    answer = pipeline.generate(model(), "raspberry_pi_pico", tmp_path / "p", runtime="aot",
                               optimize="speed")
    arena, hot, cold = answer["placement"]
    assert (arena["what"], arena["memory"], hot["memory"], cold["memory"]) == (
        "arena", "sram", "sram", "flash")
    said = text.render(answer)
    assert f"arena in sram: {arena['bytes']:,} bytes" in said
    assert (f"constants in sram: {hot['count']}, {hot['bytes']:,} bytes, each read "
            f"{hot['reads'][0]:,} to {hot['reads'][1]:,} times an inference (estimated)") in said
    host = pipeline.generate(model(), "linux_host", tmp_path / "q", runtime="aot")
    assert host["placement"] == []
