"""Int4 weights: two in a byte of the file, int8 wherever they are computed with, there and back.

TFLite Micro takes them for int8 activations, with a single scale where the layer is dense
(tensorflow/lite/micro/kernels/conv.cc, depthwise_conv.cc, fully_connected.cc), and unpacks them
to int8 before its int8 kernels run. So the arithmetic is that of int8.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edgekit.graph import DType, Graph, Quant, Tensor, packed_nibbles

LARGEST = 7  # -8 would have no opposite
# Input number of the weights and of the bias, by the operators that take int4.
KINDS = {"CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2)}


def widen(graph: Graph) -> Graph:
    """The graph with its int4 constants as int8."""
    if all(tensor.dtype is not DType.INT4 for tensor in graph.tensors):
        return graph
    return replace(graph, tensors=tuple(
        replace(tensor, dtype=DType.INT8, data=tensor.array.tobytes())
        if tensor.dtype is DType.INT4 and tensor.is_constant else tensor
        for tensor in graph.tensors))


def narrow(graph: Graph, weights: Iterable[int]) -> Graph:
    """The graph with these int8 weights as int4; their values are -8 .. 7 already.

    A dense layer's scales, which are equal, become one. ValueError for anything else.
    """
    tensors = list(graph.tensors)
    for index in weights:
        tensor = tensors[index]
        tensors[index] = replace(tensor, dtype=DType.INT4, data=packed_nibbles(tensor.array))
    for op in graph.ops:
        numbers = KINDS.get(op.kind)
        if op.kind == "FULLY_CONNECTED" and tensors[op.inputs[1]].dtype is DType.INT4:
            for index in (op.inputs[number] for number in numbers if number < len(op.inputs)):
                if index >= 0:
                    tensors[index] = _one_scale(tensors[index])
    return replace(graph, tensors=tuple(tensors))


def _one_scale(tensor: Tensor) -> Tensor:
    quant = tensor.quant
    if len(set(quant.scale)) != 1 or len(set(quant.zero_point)) != 1:
        raise ValueError(f"'{tensor.name}' has several scales: int4 dense layers need one")
    return replace(tensor, quant=Quant(quant.scale[:1], quant.zero_point[:1]))
