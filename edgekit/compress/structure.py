"""The channels of a Keras model: what can go together, and the smaller model without it."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgekit.compress import follow, walk
from edgekit.compress.channels import Labels
from edgekit.importers.keras import import_keras, symbolic


@dataclass
class Ports:
    """The labels of the channels that one layer reads and writes; of its first call."""

    layer: Any
    name: str
    reads: np.ndarray
    writes: np.ndarray

    @property
    def kind(self) -> str:
        return type(self.layer).__name__


@dataclass
class Structure:
    """A model's layers with labelled channels; `ports` is keyed by id(layer), as in the summary."""

    model: Any
    labels: Labels = field(default_factory=Labels)
    ports: dict[int, Ports] = field(default_factory=dict)

    def producers(self) -> list[Ports]:
        """Layers with filters or neurons of their own."""
        return [port for port in self.ports.values()
                if port.kind in follow.FILTERS | follow.NEURONS]


def analyse(model) -> Structure:
    """Label every channel of a Sequential or functional model; inputs and outputs are pinned.

    Raises BadModel for a model without a symbolic graph.
    """
    structure = Structure(symbolic(model))
    labels, names = structure.labels, walk.layer_names(model)

    def visit(call: walk.Call) -> list[np.ndarray]:
        inputs = list(call.inputs)
        outputs = follow.follow(labels, call, inputs)
        port = structure.ports.get(id(call.layer))
        if port is None:
            first = inputs[0] if inputs else np.array([], dtype=np.int64)
            structure.ports[id(call.layer)] = Ports(call.layer, names[id(call.layer)],
                                                    first, outputs[0])
        elif port.kind not in follow.MERGE | {"Concatenate"}:  # a layer used again has one shape
            labels.tie(port.reads, inputs[0])
            labels.tie(port.writes, outputs[0])
        return outputs

    starts = [labels.fresh(tensor.shape[-1] if len(tensor.shape) > 1 and tensor.shape[-1] else 1)
              for tensor in model.inputs]
    for array in starts:
        labels.pin(array, "it is the model's input")
    for array in walk.run(model, starts, visit):
        labels.pin(array, "it is the model's output")
    order = [name for name, _ in walk.layers_of(model)]
    structure.ports = dict(sorted(structure.ports.items(), key=lambda item: (
        order.index(item[1].name) if item[1].name in order else len(order))))
    return structure


def rebuild(structure: Structure, removed: Collection[int] = (), momentum: float | None = None):
    """A new functional model without the classes of channels in `removed`, weights included.

    `momentum`, when given, is that of every BatchNormalization of the new model.
    """
    keras = import_keras()
    gone = np.array(sorted(removed), dtype=np.int64)
    copies: dict[int, Any] = {}

    def visit(call: walk.Call):
        port = structure.ports[id(call.layer)]
        if not isinstance(call.layer, keras.layers.Layer):
            operation = _operation(call.layer, kept(structure, port.writes, gone))
            return keras.tree.flatten(operation(*call.args, **call.kwargs))
        first = id(call.layer) not in copies
        if first:
            copies[id(call.layer)] = _copy(port, kept(structure, port.writes, gone), momentum)
        copy = copies[id(call.layer)]
        outputs = keras.tree.flatten(copy(*call.args, **_arguments(call)))
        if first:
            _set_weights(port, copy, kept(structure, port.reads, gone),
                         kept(structure, port.writes, gone))
        return outputs

    model = structure.model
    inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
              for tensor in model.inputs]
    outputs = walk.run(model, inputs, visit)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0],
                       outputs if len(outputs) > 1 else outputs[0], name=model.name)


def kept(structure: Structure, array: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Positions in a label array whose class is not in `gone`."""
    return np.flatnonzero(~np.isin(structure.labels.find(array), gone))


def _copy(port: Ports, keep: np.ndarray, momentum: float | None):
    """A layer of the same class and configuration, for as many channels as are kept."""
    config = {**port.layer.get_config(), "name": port.name}
    if port.kind in follow.FILTERS:
        config["filters"] = len(keep)
    elif port.kind in follow.NEURONS:
        config["units"] = len(keep)
    elif port.kind == "Reshape" and config["target_shape"][-1] != -1:
        config["target_shape"] = (*config["target_shape"][:-1], len(keep))
    if port.kind == "BatchNormalization" and momentum is not None:
        config["momentum"] = momentum
    return type(port.layer).from_config(config)


def _operation(operation, keep: np.ndarray):
    """A keras.ops operation for as many channels as are kept; only Reshape carries their count."""
    shape = getattr(operation, "newshape", None)
    if not isinstance(shape, tuple | list) or shape[-1] in (-1, len(keep)):
        return operation
    return type(operation)((*shape[:-1], len(keep)), name=operation.name)


def _arguments(call: walk.Call) -> dict:
    """Keyword arguments of a call, with the `training` that a nested model was called with."""
    takes = "training" in inspect.signature(call.layer.call).parameters
    if call.training is None or not takes or call.kwargs.get("training") is not None:
        return call.kwargs
    return {**call.kwargs, "training": call.training}


def _set_weights(port: Ports, copy, reads: np.ndarray, writes: np.ndarray) -> None:
    for source, target in zip(port.layer.weights, copy.weights, strict=True):
        target.assign(_slice(port, source.name, np.asarray(source), reads, writes))


def _slice(port: Ports, weight: str, value: np.ndarray, reads, writes) -> np.ndarray:
    """The kept part of one weight; the axes are those of Keras's own layouts."""
    if port.kind in follow.PER_CHANNEL or (weight == "bias" and value.ndim == 1
                                           and len(value) == len(port.writes)):
        return value[..., writes]
    if port.kind in follow.DEPTHWISE or weight == "depthwise_kernel":
        return value[..., reads, :]  # (..., channels, multiplier)
    if weight == "pointwise_kernel":  # (..., channels * multiplier, filters)
        multiplier = value.shape[-2] // len(port.reads)
        rows = (reads[:, None] * multiplier + np.arange(multiplier)).ravel()
        return value[..., rows, :][..., writes]
    if port.kind.endswith("Transpose"):
        return value[..., writes, :][..., reads]  # (..., filters, channels)
    if port.kind in follow.FILTERS | follow.NEURONS:
        return value[..., reads, :][..., writes]  # (..., channels, filters)
    return value
