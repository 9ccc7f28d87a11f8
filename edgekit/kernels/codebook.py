"""Codebook weights: packed indices in flash, decoded into scratch before the kernel runs.

A weight table that holds few distinct values is found by counting them; that is all the file
says. Decoding costs RAM for one layer's weights and a few instructions for each of them, and
saves flash: it is for `--optimize size`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgekit import ops
from edgekit.graph import Graph
from edgekit.ops.base import Call, Constant, InScratch

# Flash that the second call and its parameters cost, bytes: below it nothing is saved.
_OVERHEAD = 96
# Decoding costs RAM and instructions, so it has to save a fifth: 7 bits never do.
_WORTH = 0.8
_FIELD = "weights"


def encode(graph: Graph, calls: Sequence[tuple[Call, ...]]) -> tuple[tuple[Call, ...], ...]:
    """The calls of each operator; those whose weights are smaller as a codebook decode them first.

    Where the weights of a board's own kernel do not pack, those of the portable one are tried.
    """
    return tuple(_encoded(lowered) or _encoded(ops.get(op.kind).lower(graph, op)) or lowered
                 for op, lowered in zip(graph.ops, calls, strict=True))


def _encoded(lowered: tuple[Call, ...]) -> tuple[Call, ...] | None:
    """The decoding call and the kernel's, None where nothing would be saved."""
    if len(lowered) != 1:
        return None
    (call,) = lowered
    weights = dict(call.params).get(_FIELD)
    if not isinstance(weights, Constant) or weights.ctype not in ("int8_t", "int32_t"):
        return None
    codes = np.frombuffer(weights.data, np.int8)
    table, indices = np.unique(codes, return_inverse=True)
    bits = max(1, int(len(table) - 1).bit_length())
    packed = pack(indices, bits)
    if len(packed) + len(table) + _OVERHEAD > _WORTH * len(codes):
        return None
    offset = -(-call.scratch // 4) * 4  # the kernel's own scratch comes first
    decode = Call("codebook", "codebook_decode", (
        ("count", len(codes)), ("bits", bits), ("offset", offset),
        ("weights_table", Constant.of(table)), ("weights_indices", Constant.of(packed))),
        (), (), offset + len(codes))
    params = tuple((name, InScratch(weights.ctype, offset) if name == _FIELD else value)
                   for name, value in call.params)
    return decode, replace(call, params=params)


def pack(indices: np.ndarray, bits: int) -> np.ndarray:
    """Indices of `bits` bits each, the first in the lowest bits; uint8."""
    spread = (indices.reshape(-1, 1) >> np.arange(bits)) & 1
    return np.packbits(spread.reshape(-1).astype(np.uint8), bitorder="little")
