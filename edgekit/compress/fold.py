"""Fold BatchNormalization into the layers before it: the weights as a device will have them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from edgekit.compress import kernels, walk
from edgekit.compress.structure import analyse, rebuild
from edgekit.importers.keras import import_keras

_FREE = {f"{what}_{kind}": None for kind in ("regularizer", "constraint")
         for what in ("kernel", "bias", "depthwise", "pointwise")}


def fold(model, momentum: float = 0.9):
    """A functional model that computes the same with BatchNormalization folded away.

    Folded is one whose only input is a convolution, depthwise convolution or Dense without an
    activation that nothing else reads; others stay, with this momentum. Such layers' activations
    become layers of their own, as they are operators of their own on a device unless they are
    rectifiers. Layers keep their names of the flat model and lose regularizers and constraints,
    which do not mean the folded weights. The given model is not changed. Raises BadModel for
    one without a graph.
    """
    keras = import_keras()
    flat = rebuild(analyse(model), momentum=momentum)
    pairs = _pairs(flat)
    folded = {id(norm): None for norm in pairs.values()}
    copies: dict[int, Any] = {}
    activations = _activations(flat)

    def visit(call: walk.Call):
        layer = call.layer
        if not isinstance(layer, keras.layers.Layer):
            return keras.tree.flatten(layer(*call.args, **call.kwargs))
        if id(layer) in folded:
            return [call.inputs[0]]
        first = id(layer) not in copies
        if first:
            copies[id(layer)] = _copy(layer, id(layer) in pairs)
        outputs = keras.tree.flatten(copies[id(layer)](*call.args, **call.kwargs))
        if first:
            _set_weights(layer, copies[id(layer)], pairs.get(id(layer)))
        activation = activations.get(id(layer))
        return [activation(outputs[0])] if activation else outputs

    inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
              for tensor in flat.inputs]
    outputs = walk.run(flat, inputs, visit)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0],
                       outputs if len(outputs) > 1 else outputs[0], name=model.name)


def _pairs(model) -> dict[int, Any]:
    """id(layer) -> the BatchNormalization that folds into it."""
    calls: Counter = Counter()
    reads: Counter = Counter()
    made: dict[object, Any] = {}
    norms: list[tuple[object, Any]] = []

    def visit(call: walk.Call):
        calls[id(call.layer)] += 1
        reads.update(call.inputs)
        if type(call.layer).__name__ == "BatchNormalization" and call.kwargs.get("mask") is None:
            norms.append((call.inputs[0], call))
        outputs = [object() for _ in call.output_shapes]
        made.update((output, call.layer) for output in outputs)
        return outputs

    reads.update(walk.run(model, [object() for _ in model.inputs], visit))
    return {id(made[value]): call.layer for value, call in norms
            if value in made and reads[value] == 1 and calls[id(made[value])] == 1
            and calls[id(call.layer)] == 1 and _takes(made[value])
            and call.layer.axis in (-1, len(call.input_shapes[0]) - 1)}


def _activations(model) -> dict[int, Any]:
    """id(layer) -> a layer with its activation, for layers with kernels and an activation."""
    keras = import_keras()
    taken = {layer.name for layer in model.layers}
    found = {}
    for layer in model.layers:
        if type(layer).__name__ in kernels.TYPES and layer.activation.__name__ != "linear":
            name = f"{layer.name}_activation"
            while name in taken:
                name += "_"
            taken.add(name)
            found[id(layer)] = keras.layers.Activation(layer.activation, name=name)
    return found


def _takes(layer) -> bool:
    return (type(layer).__name__ in kernels.TYPES
            and layer.activation.__name__ == "linear"
            and getattr(layer, "data_format", "channels_last") == "channels_last")


def _copy(layer, with_bias: bool):
    config = {**layer.get_config(), "name": layer.name}
    if type(layer).__name__ in kernels.TYPES:
        config |= {key: value for key, value in _FREE.items() if key in config}
        config |= {"use_bias": config["use_bias"] or with_bias, "activation": None}
    return type(layer).from_config(config)


def _set_weights(source, copy, norm) -> None:
    values = {weight.name: np.asarray(weight) for weight in source.weights}
    if norm is None:
        copy.set_weights([np.asarray(weight) for weight in source.weights])
        return
    # The last kernel makes the output: of a separable layer it is the pointwise one.
    last = list(kernels.kernels_of(source))[-1]
    factor, offset = _affine(norm)
    values[last.name] = values[last.name] * kernels.per_channel(source, last, factor)
    values["bias"] = values.get("bias", np.float32(0)) * factor + offset
    for weight in copy.weights:
        weight.assign(values[weight.name].astype(np.float32))


def _affine(norm) -> tuple[np.ndarray, np.ndarray]:
    """(factor, offset) per channel that inference multiplies and adds."""
    factor = 1 / np.sqrt(np.asarray(norm.moving_variance, np.float64) + norm.epsilon)
    factor = factor * (np.asarray(norm.gamma) if norm.scale else 1)
    offset = -np.asarray(norm.moving_mean, np.float64) * factor
    return factor, offset + (np.asarray(norm.beta) if norm.center else 0)
