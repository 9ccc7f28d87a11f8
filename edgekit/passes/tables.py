"""Weights as look-up tables that TFLite Micro decodes (its operator TFLM_DECODE), there and back.

A weight tensor of few distinct values becomes packed indices and their table, and an operator
that writes the weights into the arena right before the one that reads them.

Source: tensorflow/lite/micro/kernels/decode_state_lut.cc and decode.cc of TFLite Micro, and its
tensorflow/lite/micro/compression/decode.py. The kernel takes the number of tables from the
decoded tensor's scales, and steps from one to the next by `stride` values: one table for all
channels needs a stride of 0 where there are several scales. With any other stride a single
table runs, and gives wrong weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edgekit.errors import BadModel
from edgekit.graph import DType, Graph, Op, Tensor

DECODE = "CUSTOM:TFLM_DECODE"
# Input number of the weights, by operator.
WEIGHTS = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 1}
_MOST_BITS = 7
_ONE_TABLE = 15  # in place of the tables' axis
_HEADER = 16  # bytes before the tables
# Bytes of a file that the operator, two tensors and a buffer more cost, and the share of the
# weights that has to be left: decoding costs RAM and instructions, so it has to save a fifth.
_OVERHEAD, _WORTH = 200, 0.8


@dataclass(frozen=True, slots=True)
class Tables:
    """Packed weights: `indices` of `bits` bits each, the first in the highest ones; `values`
    (tables, stride) int8; `axis` has a table for each of its slices, None: one for all."""

    indices: bytes
    bits: int
    values: np.ndarray
    axis: int | None

    @property
    def nbytes(self) -> int:
        return len(self.indices) + _HEADER + self.values.size


def compress(graph: Graph) -> Graph:
    """The graph with a DECODE in front of every operator whose weights become smaller by it."""
    tensors, ops, decoded = list(graph.tensors), [], {}
    for index in _candidates(graph):
        tables = encode(graph.tensors[index])
        if tables is not None and tables.nbytes + _OVERHEAD <= _WORTH * graph.tensors[index].nbytes:
            decoded[index] = _split(tensors, index, tables)
    for op in graph.ops:
        number = WEIGHTS.get(op.kind)
        index = op.inputs[number] if number is not None and number < len(op.inputs) else -1
        if index in decoded:
            # The output lives until the next operator, so each reader has a DECODE of its own.
            weights, header = graph.tensors[index], decoded[index]
            tensors.append(replace(weights, data=None))
            target = len(tensors) - 1
            ops.append(Op(DECODE, (index, header), (target,), index=len(ops)))
            op = replace(op, inputs=(*op.inputs[:number], target, *op.inputs[number + 1:]))
        ops.append(replace(op, index=len(ops)))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def unpack(graph: Graph) -> Graph:
    """The graph without DECODE: the decoded tensors are constants. Tensors keep their numbers;
    operators are numbered as they were before they were compressed.

    BadModel for what is no sound look-up table: other ways to compress, indices that are missing.
    """
    if all(op.kind != DECODE for op in graph.ops):
        return graph
    tensors = list(graph.tensors)
    for op in graph.ops:
        if op.kind != DECODE:
            continue
        if len(op.inputs) != 2 * len(op.outputs) or min(op.inputs) < 0:
            raise _bad(op, f"takes {2 * len(op.outputs)} inputs, the file gives {len(op.inputs)}")
        for number, target in enumerate(op.outputs):
            packed, header = (graph.tensors[i] for i in op.inputs[2 * number:2 * number + 2])
            data = decode(packed, header, graph.tensors[target], op)
            tensors[target] = replace(graph.tensors[target], data=data)
        for i in op.inputs:
            tensors[i] = replace(tensors[i], data=None)
    ops = [op for op in graph.ops if op.kind != DECODE]
    return replace(graph, tensors=tuple(tensors),
                   ops=tuple(replace(op, index=index) for index, op in enumerate(ops)))


def encode(tensor: Tensor) -> Tables | None:
    """The smallest tables of an int8 tensor: one for all channels, or one for each. None where 7
    bits are too few."""
    axis = tensor.quant.axis
    shared = _tables(tensor.array, None)
    if axis not in (0, len(tensor.shape) - 1):
        return shared
    found = [one for one in (shared, _tables(tensor.array, axis)) if one is not None]
    return min(found, key=lambda one: one.nbytes, default=None)


def decode(packed: Tensor, header: Tensor, target: Tensor, op: Op) -> bytes:
    """The weights that the operator `op` decodes; BadModel where TFLite Micro would read outside."""
    if not (packed.is_constant and header.is_constant and len(header.data) > _HEADER):
        raise _bad(op, "its inputs must be constants with a header and tables")
    if target.dtype is not DType.INT8 or target.is_constant:
        raise _bad(op, f"'{target.name}' must be int8 and computed")
    kind, version, params, stride = (header.data[place] for place in (0, 1, 5, 6))
    if (kind, version, header.data[4]) != (0, 1, 1):
        raise _bad(op, f"compression type {kind} version {version}.{header.data[4]}; look-up "
                       "tables (type 0 version 1.1) are supported")
    bits, channels = params & 7, len(target.quant.scale) if target.quant else 1
    axis = target.quant.axis or 0 if target.quant else 0
    if not bits or len(packed.data) < -(-target.size * bits // 8):
        raise _bad(op, f"{len(packed.data)} bytes are too few for {target.size} indices of {bits} "
                       "bits")
    if axis not in (0, len(target.shape) - 1):
        raise _bad(op, f"its tables lie on axis {axis} of {len(target.shape)}: neither the first "
                       "nor the last")
    values = np.frombuffer(header.data, np.int8)[_HEADER:]
    place = _unpack_bits(packed.data, bits, target.size).reshape(target.shape)
    shape = [channels if number == axis else 1 for number in range(len(target.shape))]
    place = place + (np.arange(channels) * stride).reshape(shape)
    if place.max() >= len(values):
        raise _bad(op, f"index {place.max()} is outside its table of {len(values)} values")
    return values[place].tobytes()


def _bad(op: Op, reason: str) -> BadModel:
    text = f"operator {op.index} TFLM_DECODE: {reason}"
    return BadModel(f"the model cannot be used: {text}", "take the .tflite from before it was "
                    "compressed", reasons=(text,))


def _candidates(graph: Graph) -> list[int]:
    """Int8 weights that nothing but weight inputs reads: others would keep the values in the file."""
    weights = {(op.inputs[WEIGHTS[op.kind]]) for op in graph.ops if op.kind in WEIGHTS}
    others = {i for op in graph.ops for number, i in enumerate(op.inputs)
              if WEIGHTS.get(op.kind) != number} | set(graph.outputs)
    return [i for i in sorted(weights - others) if i >= 0 and graph.tensors[i].is_constant
            and graph.tensors[i].dtype is DType.INT8 and graph.tensors[i].quant]


def _split(tensors: list[Tensor], index: int, tables: Tables) -> int:
    """Put packed indices in place of the weights; the number of the new tensor with their tables."""
    stride = 0 if tables.axis is None and len(tensors[index].quant.scale) > 1 else (
        tables.values.shape[1])
    axis = _ONE_TABLE if tables.axis is None else tables.axis
    header = bytes([0, 1, 0, 0, 1, axis << 4 | tables.bits, stride]).ljust(_HEADER, b"\0")
    header += tables.values.tobytes()
    name = tensors[index].name
    tensors[index] = Tensor(f"{name}_packed" if name else "", (len(tables.indices),), DType.UINT8,
                            None, tables.indices)
    tensors.append(Tensor(f"{name}_tables" if name else "", (len(header),), DType.UINT8, None,
                          header))
    return len(tensors) - 1


def _tables(values: np.ndarray, axis: int | None) -> Tables | None:
    slices = [values.ravel()] if axis is None else list(np.moveaxis(values, axis, 0))
    found = [np.unique(part, return_inverse=True) for part in slices]
    stride = max(len(table) for table, _ in found)
    bits = max(1, (stride - 1).bit_length())
    if bits > _MOST_BITS:
        return None
    table = np.zeros((len(found), stride), np.int8)
    for row, (levels, _) in zip(table, found):
        row[:len(levels)] = levels
    if axis is None:
        places = found[0][1]
    else:
        places = np.moveaxis(np.stack([place.reshape(part.shape) for part, (_, place)
                                       in zip(slices, found)]), 0, axis)
    return Tables(_pack_bits(places, bits), bits, table, axis)


def _pack_bits(places: np.ndarray, bits: int) -> bytes:
    spread = (places.reshape(-1, 1) >> np.arange(bits)[::-1]) & 1
    return np.packbits(spread.astype(np.uint8)).tobytes()


def _unpack_bits(data: bytes, bits: int, count: int) -> np.ndarray:
    spread = np.unpackbits(np.frombuffer(data, np.uint8), count=count * bits).reshape(-1, bits)
    return spread.astype(np.int64) @ (1 << np.arange(bits)[::-1])
