"""What a Keras model costs: parameters, multiply-accumulates, bytes once it is int8."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgekit.compress import follow, walk
from edgekit.importers.keras import symbolic

BIAS_BYTES = 4  # int32; the converter gives every convolution and dense layer one
KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")
FREE = {"BatchNormalization", "Normalization"}  # folded into the convolution before it


@dataclass(frozen=True)
class Cost:
    """`macs` of one inference, None when a layer's are not known. `int8_bytes`: estimated bytes of
    weights and biases in the int8 .tflite, BatchNormalization folded; not of the graph itself."""

    parameters: int
    nonzero: int
    macs: int | None
    int8_bytes: int


def cost(model) -> Cost:
    """The cost of a Sequential or functional model; raises BadModel for another."""
    macs: list[int | None] = []
    layers: dict[int, object] = {}

    def visit(call: walk.Call):
        macs.append(_macs(call))
        layers[id(call.layer)] = call.layer
        return [None] * len(call.output_shapes)

    walk.run(symbolic(model), [None] * len(model.inputs), visit)
    weights = [np.asarray(weight) for layer in layers.values()
               for weight in getattr(layer, "weights", ()) if "seed" not in weight.name]
    return Cost(sum(value.size for value in weights),
                sum(int(np.count_nonzero(value)) for value in weights),
                None if None in macs else sum(macs),
                sum(_int8_bytes(layer) for layer in layers.values()))


def _macs(call: walk.Call) -> int | None:
    """Multiply-accumulates of one call; each weight of a kernel is used once per position."""
    kind = type(call.layer).__name__
    kernels = [w for w in getattr(call.layer, "weights", ()) if w.name in KERNELS]
    if kind not in follow.FILTERS | follow.NEURONS | follow.DEPTHWISE:
        has_matrix = any(len(w.shape) > 1 for w in getattr(call.layer, "weights", ()))
        return None if has_matrix and kind != "PReLU" else 0
    shape = call.input_shapes[0] if kind.endswith("Transpose") else call.output_shapes[0]
    if None in shape[1:]:
        return None
    return math.prod(shape[1:-1]) * sum(math.prod(w.shape) for w in kernels)


def _int8_bytes(layer) -> int:
    kind, total = type(layer).__name__, 0
    for weight in getattr(layer, "weights", ()):
        if weight.name in KERNELS:
            total += math.prod(weight.shape) + BIAS_BYTES * _filters(kind, weight)
        elif kind not in FREE and weight.name != "bias" and "seed" not in weight.name:
            total += math.prod(weight.shape)
    return total


def _filters(kind: str, weight) -> int:
    if kind in follow.DEPTHWISE or weight.name == "depthwise_kernel":
        return weight.shape[-1] * weight.shape[-2]
    return weight.shape[-2] if kind.endswith("Transpose") else weight.shape[-1]
