"""Run a Keras model's graph on values of any kind: channel labels, symbolic tensors, names.

Keras's own graph runner computes only tensors. Nested models are entered, so that one
walk sees every layer, as if the model had been written flat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.importers.keras import import_keras, symbolic


@dataclass(frozen=True)
class Call:
    """One use of a layer (or of a keras.ops operation) in the graph.

    `args` and `kwargs` hold values where the original call held tensors, and `inputs` those
    values alone; shapes are the original ones, batch first. `training` is what an enclosing
    nested model was called with.
    """

    layer: Any
    outer: tuple[str, ...]
    args: tuple
    kwargs: dict
    inputs: tuple
    input_shapes: tuple[tuple, ...]
    output_shapes: tuple[tuple, ...]
    training: bool | None


def run(model, values: Sequence, visit: Callable[[Call], Sequence], *,
        outer: tuple[str, ...] = (), training: bool | None = None) -> list:
    """Values of the model's outputs, given those of its inputs; `visit` maps one call's values."""
    keras = import_keras()
    known = {id(tensor): value for tensor, value in zip(model.inputs, values, strict=True)}

    def value_of(item):
        return known[id(item)] if isinstance(item, keras.KerasTensor) else item

    for layer, node in _order(model):
        args, kwargs = keras.tree.map_structure(
            value_of, (tuple(node.arguments.args), dict(node.arguments.kwargs)))
        inputs = tuple(known[id(tensor)] for tensor in node.input_tensors)
        if is_model(layer):
            inner = kwargs.get("training") if kwargs.get("training") is not None else training
            outputs = run(symbolic(layer, f"the nested model '{layer.name}'"), inputs, visit,
                          outer=(*outer, layer.name), training=inner)
        else:
            outputs = visit(Call(layer, outer, args, kwargs, inputs, _shapes(node.input_tensors),
                                 _shapes(node.output_tensors), training))
        for tensor, value in zip(node.output_tensors, outputs, strict=True):
            known[id(tensor)] = value
    return [known[id(tensor)] for tensor in model.outputs]


def is_model(layer) -> bool:
    """Whether a layer is itself a model made of layers."""
    return isinstance(layer, import_keras().Model)


def layers_of(model) -> tuple[tuple[str, str], ...]:
    """(name, type) of every layer in the order of `model.summary()`, nested ones in place."""
    names = layer_names(model)
    return tuple((names.get(id(layer), layer.name), type(layer).__name__)
                 for layer in _flat(model).values())


def layer_names(model) -> dict[int, str]:
    """id(layer) -> a name that is unique in the flat model.

    A nested layer keeps its own name unless another layer took it: then the names of the
    nested models that hold it go before it.
    """
    names: dict[int, str] = {}

    def visit(call: Call):
        if id(call.layer) not in names:
            names[id(call.layer)] = _unique(call, set(names.values()))
        return [None] * len(call.output_shapes)

    run(symbolic(model), [None] * len(model.inputs), visit)
    return names


def _unique(call: Call, taken: set[str]) -> str:
    if call.layer.name not in taken:
        return call.layer.name
    base = name = "_".join((*call.outer, call.layer.name))
    count = 1
    while name in taken:
        name, count = f"{base}_{count}", count + 1
    return name


def _flat(model, *, top: bool = True) -> dict[int, Any]:
    layers: dict[int, Any] = {}
    for layer in model.layers:
        if is_model(layer):
            layers.update(_flat(layer, top=False))
        elif top or type(layer).__name__ != "InputLayer":
            layers[id(layer)] = layer
    return layers


def _order(model) -> list[tuple]:
    """(layer, node) of every call between the model's inputs and outputs, producers first."""
    done = {id(tensor) for tensor in model.inputs}
    order, visited = [], set()
    stack = [(tensor, False) for tensor in reversed(model.outputs)]
    while stack:
        tensor, ready = stack.pop()
        layer, node_index, _ = tensor._keras_history
        node = layer._inbound_nodes[node_index]
        if id(tensor) in done or (id(node) in visited and not ready):
            continue
        if ready:
            order.append((layer, node))
            done.update(id(output) for output in node.output_tensors)
        else:
            visited.add(id(node))
            stack.append((tensor, True))
            stack.extend((parent, False) for parent in reversed(node.input_tensors))
    return order


def _shapes(tensors) -> tuple[tuple, ...]:
    return tuple(tuple(tensor.shape) for tensor in tensors)
