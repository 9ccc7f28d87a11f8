"""Layers that a quantization leaves out: int16 activations or float, in one file with int8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit import tflite, tflite_writer
from edgekit.compress import convert
from edgekit.compress.carry import WEIGHTS
from edgekit.compress.encoding import Coded
from edgekit.compress.scope import Layer, select
from edgekit.emulators import tflm_host
from edgekit.errors import UsageError
from edgekit.graph import Graph
from edgekit.passes.mixed import mixed
from edgekit.runtimes import tflm_arena

TYPES = ("int8", "int16x8", "float")


def layers_outside(layers: Sequence[Layer], scope, outside: str) -> frozenset[str]:
    """The names of the layers that are not to be int8. UsageError where there are none."""
    if outside not in TYPES:
        raise UsageError(f"layers outside the scope cannot be {outside}",
                         f"one of {', '.join(TYPES)}")
    if outside == "int8":
        return frozenset()
    names = frozenset(name for name, _ in layers) - frozenset(select(layers, scope))
    if not names:
        raise UsageError(f"no layer is outside the scope, so none can be {outside}",
                         "give --scope, for example '!head'")
    return names


def mix(content: bytes, kernels: Mapping[int, Coded], names: frozenset[str], outside: str, model,
        x) -> tuple[bytes, dict[int, Coded]]:
    """(the file with the layers `names` as `outside` says, the kernels by its weight tensors).

    `content` is the int8 conversion of the Keras model `model`, `kernels` its weight tensors;
    `x` calibrates. TFLite Micro has to take the file where its wheel is here. Raises UsageError
    where no operator is left out, BadModel for what the conversions or TFLite Micro refuse.
    """
    int8 = tflite.read(content)
    chosen = {op.index for op in int8.ops if _layer(op, kernels) in names}
    if not chosen:
        raise UsageError("no layer with weights is outside the scope",
                         "the layers are those of edgekit quantize --json")
    other = tflite.read(convert.convert(model, x, dtype=outside))
    graph, numbers = mixed(int8, other, chosen)
    found = tflite_writer.write(graph)
    _require_taken(found, graph)
    return found, {numbers[index]: kernel for index, kernel in kernels.items() if index in numbers}


def _layer(op, kernels: Mapping[int, Coded]) -> str | None:
    kernel = kernels.get(op.inputs[WEIGHTS[op.kind][0]]) if op.kind in WEIGHTS else None
    return kernel and kernel.layer


def _require_taken(content: bytes, graph: Graph) -> None:
    """BadModel where TFLite Micro, in a process of its own, does not take the file."""
    if tflm_host.available():
        tflm_arena.measure(content, graph)
