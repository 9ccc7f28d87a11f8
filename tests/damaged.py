"""A small valid model as the tables of its file, for tests that change one thing in it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from edgekit.flatbuffer import Builder

FULLY_CONNECTED, SOFTMAX, FLOOR, CUSTOM, L2_NORMALIZATION, CALL_ONCE = 9, 25, 8, 32, 11, 129


def code(number: int, version: int = 1, custom: str | None = None) -> dict:
    table = {0: ("scalar", "b", min(number, 127)), 2: ("scalar", "i", version),
             3: ("scalar", "i", number)}
    return table if custom is None else {**table, 1: ("string", custom)}


def quantization(scale: tuple = (0.5,), zero_point: tuple = (0,), axis: int = 0) -> tuple:
    return ("table", {2: ("vector", "f", scale), 3: ("vector", "q", zero_point),
                      6: ("scalar", "i", axis)})


def tensor(name: str, shape: tuple, dtype: int = 9, buffer: int = 0, quant: tuple | None = None
           ) -> dict:
    table = {0: ("vector", "i", shape), 1: ("scalar", "b", dtype), 2: ("scalar", "I", buffer),
             3: ("string", name)}
    return {**table, 4: quant} if quant else table


def operator(opcode: int, inputs: tuple, outputs: tuple, options: tuple | None = None) -> dict:
    """`options` is (the schema's number, its table)."""
    table = {0: ("scalar", "I", opcode), 1: ("vector", "i", inputs), 2: ("vector", "i", outputs)}
    if options is None:
        return table
    return {**table, 3: ("scalar", "B", options[0]), 4: ("table", options[1])}


@dataclass
class Parts:
    """x [1, 4] -> FULLY_CONNECTED -> y [1, 2]; tensors x, weights, bias, y."""

    version: int = 3
    codes: list[dict] = field(default_factory=lambda: [code(FULLY_CONNECTED)])
    buffers: list[dict] = field(default_factory=lambda: [
        {}, {0: ("bytes", bytes(range(8)), 16)}, {0: ("bytes", struct.pack("<2i", 7, -7), 16)}])
    tensors: list[dict] = field(default_factory=lambda: [
        tensor("x", (1, 4), quant=quantization()),
        tensor("weights", (2, 4), buffer=1, quant=quantization((0.25,))),
        tensor("bias", (2,), dtype=2, buffer=2),
        tensor("y", (1, 2), quant=quantization((1.0,), (3,)))])
    inputs: tuple = (0,)
    outputs: tuple = (3,)
    operators: list[dict] = field(default_factory=lambda: [operator(0, (0, 1, 2), (3,))])
    more_subgraphs: list[dict] = field(default_factory=list)

    def file(self) -> bytes:
        subgraph = {0: ("tables", self.tensors), 1: ("vector", "i", self.inputs),
                    2: ("vector", "i", self.outputs), 3: ("tables", self.operators)}
        return Builder().finish({
            0: ("scalar", "I", self.version), 1: ("tables", self.codes),
            2: ("tables", [subgraph, *self.more_subgraphs]), 4: ("tables", self.buffers)}, b"TFL3")


def changed(change: Callable[[Parts], object]) -> bytes:
    """The model's file after `change` was made to its parts."""
    parts = Parts()
    change(parts)
    return parts.file()


def set_field(part: str, index: int, slot: int, value: tuple) -> bytes:
    """The file with one table's field replaced."""
    return changed(lambda parts: getattr(parts, part)[index].__setitem__(slot, value))
