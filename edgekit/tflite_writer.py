"""Graph -> bytes: writes a .tflite, byte for byte the old one where nothing changed."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import fields

from edgekit import ops, tflite
from edgekit.errors import BadModel
from edgekit.flatbuffer import Builder
from edgekit.graph import Graph, Op, Tensor
from edgekit.ops.schema import DTYPES, OPERATOR_NAMES

_WITHOUT_OPTIONS = ("CUSTOM:TFLM_DECODE",)
_NUMBERS = {dtype: number for number, dtype in DTYPES.items()}


def write(graph: Graph, base: bytes | None = None, *, one_zero_point: bool = False,
          metadata: Mapping[str, bytes] | None = None) -> bytes:
    """The .tflite of a graph.

    With `base`, the file the graph was read from: nothing changed gives `base` itself, constants
    of the same size and as many scales are replaced in place and every other byte stays; any other
    change, or no base, gives a new file without metadata that the device never reads.
    `one_zero_point`: equal zero points of a tensor's channels are written as one; TFLite Micro
    reads that, LiteRT does not. `metadata`, bytes by name, goes into a new file. BadModel where a
    new file is needed for an operator whose options edgekit does not know.
    """
    if base is not None:
        patched = _patched(graph, base)
        if patched is not None:
            return patched
    return _new(graph, one_zero_point, metadata or {})


def _patched(graph: Graph, base: bytes) -> bytes | None:
    layout, out = tflite.read_layout(base), bytearray(base)
    if len(layout.spans) != len(graph.tensors):
        return None
    for tensor, span in zip(graph.tensors, layout.spans):
        if span and tensor.data is not None and len(tensor.data) == span[1]:
            out[span[0]:span[0] + span[1]] = tensor.data
    for tensor, span in zip(graph.tensors, layout.scales):
        if span and tensor.quant is not None and len(tensor.quant.scale) == span[1]:
            struct.pack_into(f"<{span[1]}f", out, span[0], *tensor.quant.scale)
    return bytes(out) if tflite.read(bytes(out), graph.name) == graph else None


def _new(graph: Graph, one_zero_point: bool, metadata: Mapping[str, bytes]) -> bytes:
    unknown = sorted({op.kind for op in graph.ops
                      if ops.get(op.kind) is None and op.kind not in _WITHOUT_OPTIONS})
    if unknown:
        raise BadModel(f"a model with {', '.join(unknown)} can only be written where no more than "
                       "its constants change", "leave the model as the converter wrote it")
    codes = sorted({(op.kind, op.version) for op in graph.ops})
    buffers = [{}]  # buffer 0 is the empty one by convention
    tensors = [_tensor(tensor, buffers, one_zero_point) for tensor in graph.tensors]
    subgraph = {
        0: ("tables", tensors),
        1: ("vector", "i", graph.inputs),
        2: ("vector", "i", graph.outputs),
        3: ("tables", [_op(op, codes) for op in graph.ops]),
    }
    entries = []
    for name, data in sorted(metadata.items()):
        entries.append({0: ("string", name), 1: ("scalar", "I", len(buffers))})
        buffers.append({0: ("bytes", data, 16)})
    model = {
        0: ("scalar", "I", 3),
        1: ("tables", [_code(*code) for code in codes]),
        2: ("tables", [subgraph]),
        4: ("tables", buffers),
    }
    if entries:
        model[6] = ("tables", entries)
    return Builder().finish(model, b"TFL3")


def _code(kind: str, version: int) -> dict:
    builtin, _, custom = kind.partition(":")
    number = OPERATOR_NAMES.index(builtin)
    table = {0: ("scalar", "b", min(number, 127)), 2: ("scalar", "i", version),
             3: ("scalar", "i", number)}
    return table | {1: ("string", custom)} if custom else table


def _tensor(tensor: Tensor, buffers: list[dict], one_zero_point: bool) -> dict:
    table = {
        0: ("vector", "i", tensor.shape),
        1: ("scalar", "b", _NUMBERS[tensor.dtype]),
        2: ("scalar", "I", 0),
    }
    if tensor.name:
        table[3] = ("string", tensor.name)
    if tensor.data is not None:
        table[2] = ("scalar", "I", len(buffers))
        buffers.append({0: ("bytes", tensor.data, 16)})
    if tensor.quant is not None:
        zero_point = tensor.quant.zero_point
        if one_zero_point and len(set(zero_point)) == 1:
            zero_point = zero_point[:1]
        quant = {2: ("vector", "f", tensor.quant.scale), 3: ("vector", "q", zero_point)}
        if tensor.quant.axis is not None:
            quant[6] = ("scalar", "i", tensor.quant.axis)
        table[4] = ("table", quant)
    return table


def _op(op: Op, codes: list[tuple[str, int]]) -> dict:
    table = {
        0: ("scalar", "I", codes.index((op.kind, op.version))),
        1: ("vector", "i", op.inputs),
        2: ("vector", "i", op.outputs),
    }
    module = ops.get(op.kind)
    if module is not None and op.options is not None and module.OPTIONS_TYPE:
        table[3] = ("scalar", "B", module.OPTIONS_TYPE)
        table[4] = ("table", {f.metadata["slot"]: _value(f, getattr(op.options, f.name))
                              for f in fields(module.Options)})
    return table


def _value(f, value) -> tuple:
    letter = f.metadata["type"]
    if letter.startswith("v"):
        return ("vector", letter[1:], value)
    return ("scalar", letter, value)
