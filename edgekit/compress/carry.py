"""Put integers that we chose into an int8 .tflite in place of those that its converter chose.

The converter rounds weights to 255 values of its own scale. A codebook must reach the file as
it is: the same integers, with the scale that they mean. Biases follow their weights' scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from edgekit import tflite, tflite_writer
from edgekit.compress.encoding import Coded
from edgekit.errors import BadModel
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.passes import int4

# Input number of the weights and of the bias, by operator.
WEIGHTS = {"CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2),
           "TRANSPOSE_CONV": (1, 3)}


def carry(content: bytes, kernels: Sequence[Coded]) -> tuple[bytes, dict[int, Coded]]:
    """(the file with the kernels' integers, scales and biases; the kernel of each weight tensor).

    `content` was converted from a model whose kernels have the values of `kernels`: each is found
    by them, as names do not survive conversion. Raises BadModel for a kernel with a codebook
    that is not found.
    """
    graph = tflite.read(content)
    found = match(graph, kernels)
    lost = [kernel.layer for kernel in kernels
            if (kernel.levels is not None or kernel.int4) and not any(kernel is other for other in found.values())]
    if lost:
        raise BadModel(f"the converter changed the weights of '{lost[0]}': they have no tensor of "
                       "their own in the .tflite", "leave the layer out: --scope '!" + lost[0] + "'",
                       reasons=tuple(f"'{name}' has no weight tensor" for name in lost))
    return put(graph, content, found), found


def put(graph: Graph, content: bytes, kernels: Mapping[int, Coded]) -> bytes:
    """The file `content` of a graph with the integers and scales of `kernels`, by tensor.

    With int4 kernels it is a new file, without a signature.
    """
    tensors, done = list(graph.tensors), set()
    for op in graph.ops:
        numbers = WEIGHTS.get(op.kind)
        if numbers and op.inputs[numbers[0]] in kernels:
            _replace(tensors, op, numbers, kernels[op.inputs[numbers[0]]], done)
    found = replace(graph, tensors=tuple(tensors))
    narrow = [index for index, kernel in sorted(kernels.items()) if kernel.int4]
    return tflite_writer.write(int4.narrow(found, narrow) if narrow else found, content)


def match(graph: Graph, kernels: Sequence[Coded]) -> dict[int, Coded]:
    """The kernel whose values each int8 weight tensor of a graph has, by tensor."""
    found = {}
    for index in sorted({op.inputs[WEIGHTS[op.kind][0]] for op in graph.ops
                         if op.kind in WEIGHTS}):
        tensor = graph.tensors[index]
        if not (tensor.is_constant and tensor.dtype is DType.INT8 and tensor.quant):
            continue
        values, step = real_values(tensor), max(tensor.quant.scale)
        near = [(np.abs(values - kernel.real).max(), place)
                for place, kernel in enumerate(kernels) if kernel.codes.size == tensor.size]
        # Half a step is the rounding of the converter, another half that of the kernel.
        if near and min(near)[0] <= 1.01 * step:
            found[index] = kernels[min(near)[1]]
    return found


def real_values(tensor: Tensor) -> np.ndarray:
    """The real weights of a quantized constant, flat in its own order."""
    scale, zero = (np.asarray(part, np.float32) for part in (tensor.quant.scale,
                                                             tensor.quant.zero_point))
    shape = [1] * len(tensor.shape)
    if tensor.quant.axis is not None:
        shape[tensor.quant.axis] = len(scale)
    values = (tensor.array.astype(np.float32) - zero.reshape(shape)) * scale.reshape(shape)
    return values.ravel()


def _replace(tensors: list[Tensor], op: Op, numbers: tuple[int, int], kernel: Coded,
             done: set[int]) -> None:
    index = op.inputs[numbers[0]]
    weights = tensors[index]
    count = len(weights.quant.scale)
    # A file with a scale per channel keeps that form where all of them are one: every byte
    # but the numbers themselves stays where the converter put it.
    given = kernel.scale.ravel()
    scale = np.broadcast_to(given, count) if len(given) in (1, count) else None
    if scale is None:
        raise BadModel(f"the converter gave the weights of '{kernel.layer}' {count} scales, the "
                       f"layer has {len(given)} channels", "quantize them per tensor")
    quant = Quant(tuple(map(float, scale)), (0,) * count, weights.quant.axis)
    tensors[index] = replace(weights, quant=quant, data=kernel.codes.tobytes())
    bias = op.inputs[numbers[1]] if len(op.inputs) > numbers[1] else -1
    if bias >= 0 and bias not in done:  # a layer that is used twice has one bias
        done.add(bias)
        _rescale(tensors, bias, op, scale)


def _rescale(tensors: list[Tensor], index: int, op: Op, scale: np.ndarray) -> None:
    """A bias in units of input scale times the new weight scale."""
    bias = tensors[index]
    data = tensors[op.inputs[2 if op.kind == "TRANSPOSE_CONV" else 0]]
    new = np.float32(data.scale) * scale.astype(np.float32)
    real = bias.array.astype(np.float64) * np.asarray(bias.quant.scale, np.float64)
    limit = np.iinfo(bias.dtype.numpy)
    values = np.clip(np.round(real / new), limit.min, limit.max).astype(bias.dtype.numpy)
    quant = replace(bias.quant, scale=tuple(map(float, new)))
    tensors[index] = replace(bias, quant=quant, data=values.tobytes())
