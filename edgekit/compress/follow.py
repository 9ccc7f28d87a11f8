"""How channels pass through each kind of Keras layer: one rule per kind, on label arrays.

A rule takes the labels of the inputs' last axes and gives those of the outputs'. What no
rule knows keeps all its channels (it is pinned), so an unknown layer costs compression,
never correctness.
"""

from __future__ import annotations

import math

import numpy as np

from edgekit.compress.channels import Labels
from edgekit.compress.walk import Call

FILTERS = {"Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
           "SeparableConv1D", "SeparableConv2D"}
NEURONS = {"Dense"}
DEPTHWISE = {"DepthwiseConv1D", "DepthwiseConv2D"}
PER_CHANNEL = {"BatchNormalization", "PReLU"}  # weights along the last axis
PASS = {"Activation", "ReLU", "LeakyReLU", "ELU", "Dropout", "SpatialDropout1D", "Identity",
        "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "ActivityRegularization",
        "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D",
        "AveragePooling3D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
        "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
        "GlobalMaxPooling3D", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D",
        "UpSampling1D", "UpSampling2D", "Relu", "Relu6", "LeakyRelu", "Sigmoid", "Tanh", "Silu"}
MERGE = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}
ELEMENTWISE = {"linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish",
               "hard_silu", "hard_swish", "sigmoid", "hard_sigmoid", "tanh", "softplus",
               "softsign", "mish", "exponential", "celu", "hard_tanh"}


def follow(labels: Labels, call: Call, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Labels of a call's outputs from those of its inputs, with ties and pins noted in `labels`."""
    kind = type(call.layer).__name__
    refusal = _refusal(call, kind)
    if refusal is None:
        if kind in FILTERS | NEURONS:
            return [_produce(labels, call, kind)]
        if kind in DEPTHWISE:
            return [np.repeat(inputs[0], call.layer.depth_multiplier)]
        if kind in PASS | PER_CHANNEL:
            return [inputs[0]]
        if kind in MERGE:
            return [_merge(labels, call, inputs)]
        if kind == "Concatenate":
            return [_concatenate(labels, call, inputs)]
        if kind == "Flatten":
            return [np.tile(inputs[0], math.prod(call.input_shapes[0][1:-1]))]
        if kind == "Reshape":
            return [_reshape(call, inputs[0])]
        refusal = f"'{call.layer.name}' ({kind}) cannot be made smaller"
    for array in inputs:
        labels.pin(array, refusal)
    return [_pinned(labels, shape, refusal) for shape in call.output_shapes]


def _produce(labels: Labels, call: Call, kind: str) -> np.ndarray:
    array = labels.fresh(call.output_shapes[0][-1])
    if _mixes(call.layer):  # softmax over filters: the others would change
        labels.pin(array, f"'{call.layer.name}' ({kind}) computes each channel from all")
    return array


def _mixes(layer) -> bool:
    """Whether the layer's activation is other than element by element, as far as is known."""
    activation = getattr(layer, "activation", None)
    return activation is not None and getattr(activation, "__name__", "") not in ELEMENTWISE


def _pinned(labels: Labels, shape: tuple, refusal: str) -> np.ndarray:
    array = labels.fresh(shape[-1] if len(shape) > 1 and shape[-1] else 1)
    labels.pin(array, refusal)
    return array


def _refusal(call: Call, kind: str) -> str | None:
    """Why this call's channels must stay, or None when a rule applies."""
    layer, name = call.layer, f"'{call.layer.name}' ({kind})"
    if not type(layer).__module__.startswith("keras."):
        return f"{name} is a class of its own, whose channels are not known"
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        return f"{name} is channels_first"
    if getattr(layer, "groups", 1) != 1:
        return f"{name} is grouped"
    if kind not in FILTERS | NEURONS and _mixes(layer):
        return f"{name} computes each channel from all"
    if kind == "BatchNormalization" and _axis(layer.axis, call) != len(call.input_shapes[0]) - 1:
        return f"{name} is not along the last axis"
    if kind == "PReLU" and len(call.input_shapes[0]) in (layer.shared_axes or ()):
        return f"{name} shares its weights among channels"
    if kind in MERGE and _has_constant(call):
        return f"{name} has a constant operand"
    if kind in {"Flatten", "Reshape"} and not _reshapes_channels(call, kind):
        return f"{name} spreads channels over another axis"
    return None


def _axis(axis, call: Call) -> int:
    axis = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
    return axis % len(call.input_shapes[0]) if isinstance(axis, int) else -1


def _has_constant(call: Call) -> bool:
    """Whether an operand is an array: its channels could not be removed with the others'."""
    items = [item for arg in (*call.args, *call.kwargs.values())
             for item in (arg if isinstance(arg, list | tuple) else (arg,))]
    taken = {id(value) for value in call.inputs}
    return any(id(item) not in taken and not isinstance(item, int | float | None | bool)
               for item in items)


def _reshapes_channels(call: Call, kind: str) -> bool:
    before, after = call.input_shapes[0][1:], call.output_shapes[0][1:]
    if None in before or None in after or not before or not after:
        return False
    return kind == "Flatten" or before[-1] == after[-1] or len(after) == 1


def _reshape(call: Call, array: np.ndarray) -> np.ndarray:
    """The last axis stays, or everything becomes one axis, as in Flatten."""
    return np.tile(array, call.output_shapes[0][-1] // len(array))


def _merge(labels: Labels, call: Call, inputs: list[np.ndarray]) -> np.ndarray:
    widest = max(inputs, key=len)
    for array in inputs:
        if len(array) == len(widest):
            labels.tie(array, widest)
        else:  # one channel, broadcast over the others
            labels.pin(array, f"'{call.layer.name}' broadcasts it over channels")
    return widest


def _concatenate(labels: Labels, call: Call, inputs: list[np.ndarray]) -> np.ndarray:
    rank = len(call.output_shapes[0])
    if call.layer.axis % rank == rank - 1:
        return np.concatenate(inputs)
    for array in inputs[1:]:
        labels.tie(array, inputs[0])
    return inputs[0]
