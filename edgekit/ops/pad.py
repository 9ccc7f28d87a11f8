"""PAD: the input with borders of its zero point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.graph import DType, Graph, Op
from edgekit.ops.base import Call, Constant, int8_activations, no_macs, same_quantization

CODE, OPTIONS_TYPE, VERSIONS = 34, 22, range(1, 5)
INPUTS = (2, 2)
macs = no_macs
_MAX_RANK = 4


@dataclass(frozen=True, slots=True)
class Options:
    """PAD has none."""


def constant_paddings(graph: Graph, op: Op) -> bool | str:
    """the paddings must be constant int32 of shape [rank, 2], none below 0, rank at most 4"""
    source, paddings = graph.inputs_of(op)[:2]
    if paddings is None or not paddings.is_constant or paddings.dtype is not DType.INT32:
        return f"'{paddings.name}' is not constant int32" if paddings else "they are left out"
    if len(source.shape) > _MAX_RANK or paddings.shape != (len(source.shape), 2):
        return f"{paddings.shape} against {source.shape}"
    return True if paddings.array.min(initial=0) >= 0 else f"{paddings.array.min()}"


CONSTRAINTS = (int8_activations, same_quantization, constant_paddings)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    source, paddings = graph.inputs_of(op)[:2]
    return (tuple(dim + int(pad.sum()) for dim, pad in zip(source.shape, paddings.array)),)


def reference(graph: Graph, op: Op, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Source: TFLM `reference_ops::Pad`; the border is the output's zero point."""
    return [np.pad(inputs[0], inputs[1].tolist(),
                   constant_values=graph.outputs_of(op)[0].zero_point)]


def lower(graph: Graph, op: Op) -> tuple[Call, ...]:
    source, paddings = graph.inputs_of(op)[:2]
    missing = _MAX_RANK - len(source.shape)
    shape = np.array([1] * missing + list(source.shape), np.int32)
    pads = np.pad(paddings.array, ((missing, 0), (0, 0)))
    params = (("input_shape", Constant.of(shape)), ("before", Constant.of(pads[:, 0])),
              ("after", Constant.of(pads[:, 1])), ("value", graph.outputs_of(op)[0].zero_point))
    return (Call("pad", "pad_s8", params, op.inputs[:1], op.outputs),)
