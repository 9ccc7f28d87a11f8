"""Graphs with numbers at the ends of what a file can hold: few mutants of bytes get there."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from edgekit.graph import DType, Graph, Quant, Tensor

ZERO_POINTS = (-128, -1, 0, 1, 127)


def extremes(graphs: list[Graph], count: int, seed: int) -> Iterator[Graph]:
    """`count` of the graphs, in turn, with other scales, zero points, constants and options."""
    for number in range(count):
        rng = random.Random(seed * 1_000_003 + number)
        graph = graphs[number % len(graphs)]
        # Equal quantizations stay equal: some operators ask for it.
        quants = {tensor.quant: _quant(rng, tensor.quant) for tensor in graph.tensors
                  if tensor.quant and not tensor.is_constant}
        tensors = tuple(_tensor(rng, tensor, quants) for tensor in graph.tensors)
        yield replace(graph, tensors=tensors,
                      ops=tuple(replace(op, options=_options(rng, op.options)) for op in graph.ops))


def _quant(rng: random.Random, quant: Quant) -> Quant:
    if quant.scale[0] == 1 / 256:  # the one that SOFTMAX and LOGISTIC have
        return quant
    zero_points = quant.zero_point if rng.random() < 0.5 else (rng.choice(ZERO_POINTS),)
    return Quant(_scales(rng, quant.scale), zero_points, quant.axis)


def _scales(rng: random.Random, scales: tuple[float, ...]) -> tuple[float, ...]:
    kind = rng.randrange(3)
    if kind == 0:
        return scales
    factor = 2.0 ** (rng.uniform(-12, 12) if kind == 1 else rng.randint(-40, 40))
    return tuple(_float32(scale * factor) for scale in scales)


def _tensor(rng: random.Random, tensor: Tensor, quants: dict[Quant, Quant]) -> Tensor:
    if tensor.quant is None:
        return tensor
    if not tensor.is_constant:
        return replace(tensor, quant=quants[tensor.quant])
    quant, data = tensor.quant, tensor.data
    if tensor.dtype is DType.INT8:
        quant = replace(quant, scale=_scales(rng, quant.scale))
    if rng.random() < 0.4:
        limits = np.iinfo(tensor.dtype.numpy)
        values = [limits.min, rng.choice((limits.min, limits.max))]
        data = np.array([rng.choice(values) for _ in range(tensor.size)],
                        tensor.dtype.numpy).tobytes()
    return replace(tensor, quant=quant, data=data)


def _options(rng: random.Random, options: object) -> object:
    if hasattr(options, "activation") and rng.random() < 0.5:
        return replace(options, activation=rng.randrange(4))
    if hasattr(options, "beta"):
        return replace(options, beta=_float32(2.0 ** rng.uniform(-30, 30)))
    return options


def _float32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]
