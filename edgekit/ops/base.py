"""What every operator module is made of.

`edgekit/ops/<kind in lower case>.py` describes one TFLite operator:

    CODE, OPTIONS_TYPE, VERSIONS   numbers of the TFLite schema
    Options                        frozen dataclass; fields made by `slot`
    CONSTRAINTS                    functions (graph, op) -> True, or False or a text that says
                                   more; the docstring is the error message
    shapes(graph, op)              the output shapes that follow from the inputs and options
    macs(graph, op)                multiply-accumulates of one inference
    reference(graph, op, inputs)   the arithmetic, on NumPy arrays: its only definition
    lower(graph, op)               the kernel calls that do it in C
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from edgekit.graph import DType, Graph, Op, Tensor

Constraint = Callable[[Graph, Op], "bool | str"]


def slot(number: int, type: str, default: object = 0):
    """An options field at the schema's slot `number`; type is a struct letter, or 'v' + letter
    for a vector."""
    return field(default=default, metadata={"slot": number, "type": type})


@dataclass(frozen=True, slots=True)
class Constant:
    """A table in flash; `ctype` is the C type of an element, `data` its little-endian bytes."""

    ctype: str
    data: bytes

    @classmethod
    def of(cls, array: np.ndarray) -> Constant:
        array = np.ascontiguousarray(array)
        return cls(f"{array.dtype.name}_t", array.astype(array.dtype.newbyteorder("<")).tobytes())

    @property
    def values(self) -> list:
        return np.frombuffer(self.data, np.dtype(self.ctype.removesuffix("_t"))
                             .newbyteorder("<")).tolist()


@dataclass(frozen=True, slots=True)
class Call:
    """One kernel call: `edgekit_<kernel>(&params, inputs..., outputs..., scratch?)`.

    `header` names kernels/<header>.h with its struct `edgekit_<header>_t`; `kernel` names
    kernels/<kernel>.c and the function. `params` are the struct's fields in order: integers,
    Constants (become pointers to flash) or None (a null pointer). `inputs` and `outputs` index
    the graph's tensors and are passed as pointers; `scratch` bytes follow when not zero.
    """

    header: str
    kernel: str
    params: tuple[tuple[str, int | Constant | None], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scratch: int = 0


def is_int8(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype is DType.INT8


def has_one_scale(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.quant is not None and len(tensor.quant.scale) == 1


# Constraints that many operators share.

def int8_activations(graph: Graph, op: Op) -> bool | str:
    """the first input and the output must be int8, quantized per tensor"""
    for tensor in (graph.inputs_of(op)[0], graph.outputs_of(op)[0]):
        if not is_int8(tensor):
            return f"'{tensor.name}' is {tensor.dtype.value}" if tensor else "the input is left out"
        if not has_one_scale(tensor):
            return f"'{tensor.name}' has no single scale"
    return True


def all_int8(graph: Graph, op: Op) -> bool | str:
    """all inputs and outputs must be int8, quantized per tensor"""
    for tensor in graph.inputs_of(op) + graph.outputs_of(op):
        if not is_int8(tensor):
            return f"'{tensor.name}' is {tensor.dtype.value}" if tensor else "an input is left out"
        if not has_one_scale(tensor):
            return f"'{tensor.name}' has no single scale"
    return True


def same_quantization(graph: Graph, op: Op) -> bool | str:
    """the input and the output must have the same scale and zero point"""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if source.quant != target.quant:
        return f"'{source.name}' and '{target.name}' differ"
    return True


def no_macs(graph: Graph, op: Op) -> int:
    """Operators without multiply-accumulates."""
    return 0


def failed(constraints: tuple[Constraint, ...], graph: Graph, op: Op) -> list[str]:
    """The messages of the constraints that do not hold; later ones may rely on earlier ones."""
    messages = []
    for constraint in constraints:
        answer = constraint(graph, op)
        if answer is not True:
            text = " ".join((constraint.__doc__ or constraint.__name__).split())
            messages.append(f"{text} ({answer})" if answer else text)
            break
    return messages
