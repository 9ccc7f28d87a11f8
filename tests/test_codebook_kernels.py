"""Codebook weights on the aot runtime: found by counting, decoded into scratch, same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conftest import require_module, require_tool
from edgekit import pipeline, reference, samples, targets, tflite_writer, toolchains
from edgekit.board import load_board
from edgekit.emulators import native
from edgekit.graph import DType, Graph, Op, Quant
from edgekit.kernels import codebook
from edgekit.model import compile_plan, model_of
from tiny_graphs import network


def coarse(levels: int):
    """The tiny network with larger 1x1 weights of `levels` distinct values."""
    graph = network()
    tensors = list(graph.tensors)
    for i, tensor in enumerate(tensors):
        if tensor.is_constant and tensor.dtype is DType.INT8:
            codes = tensor.array.astype(int)
            step = 255 / levels
            tensors[i] = replace(tensor, data=(np.floor((codes + 127) / step) * step - 127).clip(
                -127, 127).astype(np.int8).tobytes())
    return replace(graph, tensors=tuple(tensors))


def wide(levels: int) -> Graph:
    """A dense layer of 64 x 64 weights with `levels` distinct values."""
    from edgekit import ops
    from edgekit.graph import Tensor
    rng = np.random.default_rng(levels)
    table = rng.choice(np.arange(-127, 128), levels, replace=False).astype(np.int8)
    weights = table[rng.integers(0, levels, (64, 64))]
    scale = lambda value: Quant((float(np.float32(value)),), (0,))  # noqa: E731
    tensors = (Tensor("x", (1, 64), DType.INT8, scale(0.05)),
               Tensor("w", (64, 64), DType.INT8, scale(0.01), weights.tobytes()),
               Tensor("y", (1, 64), DType.INT8, scale(0.6)))
    return Graph("wide", tensors, (Op("FULLY_CONNECTED", (0, 1), (2,),
                                      ops.get("FULLY_CONNECTED").Options()),), (0,), (2,))


@pytest.mark.parametrize("bits", range(1, 8))
def test_packed_indices_read_back_from_the_lowest_bits(bits):
    indices = np.random.default_rng(bits).integers(0, 2**bits, 101)
    stream = np.unpackbits(codebook.pack(indices, bits), bitorder="little")[:101 * bits]
    np.testing.assert_array_equal(stream.reshape(101, bits) @ (1 << np.arange(bits)), indices)


@pytest.mark.parametrize("levels", [2, 3, 8, 16, 33, 60])
def test_native_code_with_a_codebook_equals_the_reference(levels):
    if not native.available():
        require_tool("cc")
    model = model_of(tflite_writer.write(wide(levels)), "wide")
    code = targets.aot_code(model, load_board("linux_host"), "size")
    (entry,) = code.map["ops"]
    assert entry["kernel"] == "codebook_decode+fully_connected_s8"
    flags = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")
    with native.open_native(code, flags) as link:
        for sample in samples.default_samples(model.graph, 8):
            link.load(tuple(value.tobytes() for value in sample))
            expected = reference.run(model.graph, sample)[2].tobytes()
            assert link.infer().outputs == (expected,)


def test_many_values_or_small_tables_stay_as_they_are():
    for graph in (wide(100), coarse(4)):
        model = model_of(tflite_writer.write(graph), "model")
        _, plain, _ = compile_plan(model)
        _, small, _ = compile_plan(model, (), "size")
        assert [[call.kernel for call in calls] for calls in small] == [
            [call.kernel for call in calls] for calls in plain]


@pytest.mark.parametrize("board", ["nucleo_l4r5zi", "raspberry_pi_pico", "qemu_riscv32"])
def test_firmware_with_a_codebook_is_smaller_and_equal(board):
    for module in ("unicorn", "capstone", "elftools"):
        require_module(module)
    if not toolchains.available(load_board(board)):
        require_tool(toolchains.gcc(load_board(board)).compiler)
    model = model_of(tflite_writer.write(wide(8)), "wide")
    assert pipeline.validate(model, board, optimize="size", count=6)["ok"]
    size = pipeline.profile(model, board, runtime="aot", optimize="size")
    balanced = pipeline.profile(model, board, runtime="aot")
    assert size["flash"]["weights"] < 0.6 * balanced["flash"]["weights"]
    assert size["flash"]["total"] < balanced["flash"]["total"] - 2000
    assert size["ram"]["scratch"] >= 64 * 64
