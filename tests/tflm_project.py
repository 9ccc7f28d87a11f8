"""Models for the tflm runtime's tests, and their projects compiled against the double."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import require_tool

from edgekit import memory, ops, reference, tflite, tflite_writer, toolchains, tools
from edgekit.board import load_board
from edgekit.builders import cmake
from edgekit.codegen import SelfTest
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.model import model_of
from edgekit.passes import int4
from edgekit.runtimes import aot, tflm, tflm_arena

DOUBLE = Path(__file__).parent / "tflm_double"


def _int8(name: str, *shape: int, scale: float = 0.05, zero_point: int = 3) -> Tensor:
    return Tensor(name, shape, DType.INT8, Quant((float(np.float32(scale)),), (zero_point,)))


def _constant(name: str, values: np.ndarray, scales: tuple[float, ...], axis: int = 0) -> Tensor:
    dtype = DType(values.dtype.name)
    scales = tuple(float(np.float32(scale)) for scale in scales)
    return Tensor(name, values.shape, dtype,
                  Quant(scales, (0,) * len(scales), axis if len(scales) > 1 else None),
                  values.tobytes())


def _op(kind: str, inputs: tuple[int, ...], output: int, index: int, **options) -> Op:
    return Op(kind, inputs, (output,), ops.get(kind).Options(**options), index=index)


def little() -> Graph:
    """Convolution, depthwise convolution, average pooling, reshape, fully connected, softmax."""
    rng = np.random.default_rng(7)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 127, shape, dtype=np.int8, endpoint=True)

    def bias(channels: int) -> np.ndarray:
        return rng.integers(-900, 900, channels, dtype=np.int32)

    tensors = (
        _int8("input", 1, 8, 8, 2), _constant("filters", weights(4, 3, 3, 2), (0.01,) * 4),
        _int8("a", 1, 8, 8, 4), _constant("taps", weights(1, 3, 3, 4), (0.01,) * 4, 3),
        _int8("b", 1, 8, 8, 4), _int8("c", 1, 1, 1, 4),
        Tensor("shape", (2,), DType.INT32, None, np.array([1, 4], np.int32).tobytes()),
        _int8("d", 1, 4), _constant("rows", weights(5, 4), (0.02,)),
        _int8("e", 1, 5, scale=0.1), _int8("output", 1, 5, scale=1 / 256, zero_point=-128),
        _constant("filters_bias", bias(4), (0.0005,)), _constant("taps_bias", bias(4), (0.0005,)),
        _constant("rows_bias", bias(5), (0.001,)))
    return Graph("little", tensors, (
        _op("CONV_2D", (0, 1, 11), 2, 0, stride_w=1, stride_h=1),
        _op("DEPTHWISE_CONV_2D", (2, 3, 12), 4, 1, stride_w=1, stride_h=1, depth_multiplier=1),
        _op("AVERAGE_POOL_2D", (4,), 5, 2, padding=1, stride_w=8, stride_h=8, filter_width=8,
            filter_height=8),
        _op("RESHAPE", (5, 6), 7, 3),
        _op("FULLY_CONNECTED", (7, 8, 13), 9, 4),
        _op("SOFTMAX", (9,), 10, 5, beta=1.0)), (0,), (10,))


def clustered() -> Graph:
    """Convolution (8 values for all channels), convolution (4 other values in each channel),
    depthwise convolution (4 values), mean, fully connected (8 values, one scale): weights that
    are smaller as look-up tables."""
    rng = np.random.default_rng(11)

    def coded(shape: tuple[int, ...], levels: int, own: int = 0) -> np.ndarray:
        """Weights of `levels` values; with `own`, each of so many first slices has its own."""
        rows = [rng.choice(np.arange(-120, 121), levels, replace=False) for _ in range(own or 1)]
        places = rng.integers(0, levels, shape)
        if not own:
            return rows[0][places].astype(np.int8)
        return np.stack([row[place] for row, place in zip(rows, places)]).astype(np.int8)

    def scales(count: int) -> tuple[float, ...]:
        return tuple(0.0005 + 0.0001 * (i % 7) for i in range(count))

    tensors = (
        _int8("input", 1, 6, 6, 8), _constant("filters", coded((32, 3, 3, 8), 8), scales(32)),
        _int8("a", 1, 6, 6, 32), _constant("own", coded((32, 1, 1, 32), 4, 32), scales(32)),
        _int8("b", 1, 6, 6, 32), _constant("taps", coded((1, 5, 5, 32), 4), scales(32), 3),
        _int8("c", 1, 6, 6, 32),
        Tensor("axes", (2,), DType.INT32, None, np.array([1, 2], np.int32).tobytes()),
        _int8("d", 1, 32), _constant("rows", coded((24, 32), 8), (0.002,)),
        _int8("output", 1, 24, scale=0.02),
        _constant("taps_bias", np.arange(-16, 16, dtype=np.int32) * 50, (0.0005,)))
    return Graph("clustered", tensors, (
        _op("CONV_2D", (0, 1, -1), 2, 0, stride_w=1, stride_h=1),
        _op("CONV_2D", (2, 3, -1), 4, 1, stride_w=1, stride_h=1),
        _op("DEPTHWISE_CONV_2D", (4, 5, 11), 6, 2, stride_w=1, stride_h=1, depth_multiplier=1),
        _op("MEAN", (6, 7), 8, 3),
        _op("FULLY_CONNECTED", (8, 9, -1), 10, 4)), (0,), (10,))


def quartered() -> Graph:
    """`clustered` with int4 weights, on a larger input scale."""
    graph = clustered()
    tensors = list(graph.tensors)
    weights = [op.inputs[1] for op in graph.ops if op.kind != "MEAN"]
    for index in weights:
        codes = tensors[index].array
        tensors[index] = replace(tensors[index], data=(codes % 15 - 7).astype(np.int8).tobytes())
    tensors[0] = replace(tensors[0], quant=Quant((float(np.float32(0.5)),), (3,)))
    return int4.narrow(replace(graph, name="quartered", tensors=tuple(tensors)), weights)


def two_of_each() -> Graph:
    """Two inputs and two outputs."""
    tensors = (_int8("left", 1, 6), _int8("right", 1, 6, scale=0.07), _int8("sum", 1, 6, scale=0.1),
               _int8("positive", 1, 6, scale=0.1))
    return Graph("two", tensors, (_op("ADD", (0, 1), 2, 0), _op("RELU", (2,), 3, 1)), (0, 1), (2, 3))


def selftest_of(graph: Graph) -> SelfTest:
    rng = np.random.default_rng(1)
    inputs = tuple(rng.integers(-128, 127, graph.tensors[i].shape, endpoint=True)
                   .astype(graph.tensors[i].dtype.numpy) for i in graph.inputs)
    values = reference.run(graph, inputs)
    return SelfTest(tuple(value.tobytes() for value in inputs),
                    tuple(values[i].tobytes() for i in graph.outputs))


class DoubledProject:
    """A generated tflm project in `folder`, to be built against the double."""

    def __init__(self, folder: Path, model: bytes, name: str, board: str):
        self.folder, self.name, self.board = folder / "project", name, load_board(board)
        graph = model_of(model, name).graph
        self.code = tflm.generate(model, graph, name, self.board)
        need = tflm_arena.arena_need(model, tflite.read(model), None)
        self.arena = need.size
        cmake.project(self.code, selftest_of(graph), self.board).write(self.folder)
        self.backing = folder / "double"
        aot.generate(graph, memory.plan(graph), "double_model", "0" * 64, board
                     ).files.write(self.backing)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))

    def build(self):
        """(exit code, output) of the compilation, warnings in generated code being errors."""
        chain = toolchains.gcc(self.board)
        for program in ("cmake", "ninja", chain.compiler, chain.cxx_compiler):
            require_tool(program)
        command = [tools.require("cmake"), "-S", str(self.folder), "-B", str(self.folder / "b"),
                   "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools.require('ninja')}",
                   "-DEDGEKIT_EMULATED=ON", "-DEDGEKIT_OPTIMIZE=-O1",
                   f"-DCMAKE_PROJECT_INCLUDE={DOUBLE / 'tflm_double.cmake'}",
                   f"-DTFLM_DOUBLE_MODEL={self.backing}", f"-DTFLM_DOUBLE_ARENA={self.arena}"]
        if chain.file:
            command.append(f"-DCMAKE_TOOLCHAIN_FILE={self.folder / 'cmake' / chain.file}")
        flags = {"CFLAGS": "-Werror", "CXXFLAGS": "-Werror"}
        done = tools.run(command, env=flags)
        if done.returncode == 0:
            done = tools.run([tools.require("cmake"), "--build", str(self.folder / "b")])
        return done.returncode, (done.stdout + done.stderr).decode()

    def run(self) -> tuple[int, str]:
        """(exit code, what the firmware prints), natively or in QEMU."""
        return run_firmware(self.folder / "b" / f"{self.name}.elf", self.board.name)

    def built(self) -> DoubledProject:
        code, output = self.build()
        assert code == 0, output
        return self


def run_firmware(elf: Path, board: str) -> tuple[int, str]:
    if board == "linux_host":
        done = tools.run([str(elf)], timeout_s=20)
    else:
        done = tools.run([require_tool("qemu-system-arm"), "-M", board.replace("_", "-"),
                          "-display", "none", "-monitor", "none", "-serial", "stdio",
                          "-semihosting", "-kernel", str(elf)], timeout_s=60)
    return done.returncode, done.stdout.decode()


def written(graph: Graph) -> bytes:
    return tflite_writer.write(graph)


def tflm_sources() -> Path:
    """TFLM_DIR; skips by that name."""
    folder = os.environ.get("TFLM_DIR", "")
    if not (Path(folder) / "tensorflow/lite/micro/micro_interpreter.cc").is_file():
        pytest.skip("TFLM_DIR is not set to a TFLite Micro checkout")
    return Path(folder)
