"""What every operator module is made of.

`edgekit/ops/<kind in lower case>.py` describes one TFLite operator:

    CODE, OPTIONS_TYPE, VERSIONS   numbers of the TFLite schema
    INPUTS                         (fewest, most) inputs; the fewest must all be there, the others
                                   may be left out
    OUTPUTS                        (fewest, most) outputs, where it is not always one
    Options                        frozen dataclass; fields made by `slot`
    CONSTRAINTS                    functions (graph, op) -> True, or False or a text that says
                                   more; the docstring is the error message
    shapes(graph, op)              the output shapes that follow from the inputs and options
    macs(graph, op)                multiply-accumulates of one inference; asks for INPUTS alone,
                                   so that models edgekit cannot run are counted too
    reference(graph, op, inputs)   the arithmetic, on NumPy arrays: its only definition
    lower(graph, op)               the kernel calls that do it in C
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from edgekit.graph import DType, Graph, Op, Tensor

Constraint = Callable[[Graph, Op], "bool | str"]


def slot(number: int, type: str, default: object = 0):
    """An options field at the schema's slot `number`; type is a struct letter, or 'v' + letter
    for a vector."""
    return field(default=default, metadata={"slot": number, "type": type})


@dataclass(frozen=True, slots=True)
class NoOptions:
    """`Options` of an operator that has none."""


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
class InScratch:
    """A pointer to `offset` bytes into the operator's scratch; `ctype` is what it points to."""

    ctype: str
    offset: int


@dataclass(frozen=True, slots=True)
class Over:
    """The output may lie over `input`, a tensor that no later operator reads: it starts at least
    `lead` bytes before the input, or with `exact` just that many. Found by `ops.overlap`."""

    input: int
    lead: int
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One kernel call: `edgekit_<kernel>(&params, inputs..., outputs..., scratch?)`.

    `header` names kernels/<header>.h with its struct `edgekit_<header>_t`; `kernel` names
    kernels/<kernel>.c and the function. `params` are the struct's fields in order: integers,
    Constants (become pointers to flash), InScratch or None (a null pointer). `inputs` and `outputs` index
    the graph's tensors and are passed as pointers; `scratch` bytes follow when not zero. `over`
    are the inputs that the kernel's order of reads and writes lets its one output cover.
    """

    header: str
    kernel: str
    params: tuple[tuple[str, int | Constant | InScratch | None], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scratch: int = 0
    over: tuple[Over, ...] = ()


def wrong_counts(module: ModuleType, op: Op) -> str | None:
    """What is wrong with an operator's number of inputs and outputs, None where nothing is."""
    for count, limits, side in ((len(op.inputs), module.INPUTS, "input"),
                                (len(op.outputs), getattr(module, "OUTPUTS", (1, 1)), "output")):
        fewest, most = limits
        if not fewest <= count <= most:
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            plural = "" if side == "output" and most == 1 else "s"
            return f"takes {wanted} {side}{plural}, the file gives {count}"
    if -1 in op.inputs[:module.INPUTS[0]]:
        return f"input {op.inputs.index(-1)} is left out (tensor -1), and is required"
    return None


def is_int8(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype is DType.INT8


def has_one_scale(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.quant is not None and len(tensor.quant.scale) == 1


# Constraints that many operators share.

def fused_activation(graph: Graph, op: Op) -> bool | str:
    """the fused activation must be none, RELU, RELU_N1_TO_1 or RELU6, with an output scale of at
    least 2^-28 for the last two"""
    # Below, 6 / scale leaves int32.
    activation, target = op.options.activation, graph.outputs_of(op)[0]
    if activation not in (0, 1, 2, 3):
        return f"it is number {activation}"
    return activation < 2 or target.scale >= 2**-28 or f"the scale is {target.scale:g}"


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


def one_quantization(graph: Graph, op: Op) -> bool | str:
    """all inputs must have the output's scale and zero point"""
    target = graph.outputs_of(op)[0]
    for tensor in graph.inputs_of(op):
        if tensor.quant != target.quant:
            return f"'{tensor.name}' has others"
    return True


def constant_int32(tensor: Tensor | None, name: str) -> bool | str:
    """Whether a tensor of options (axes, a shape) is constant int32; says what it is if not."""
    if tensor is None:
        return f"{name} is left out"
    if tensor.is_constant and tensor.dtype is DType.INT32:
        return True
    return f"'{tensor.name}' is {tensor.dtype.value if tensor.is_constant else 'computed'}"


def constant_axis(tensor: Tensor | None, rank: int) -> bool | str:
    """Whether a tensor is one constant int32, the number of one of `rank` axes; says what it is if
    not."""
    answer = constant_int32(tensor, "it")
    if answer is not True:
        return answer
    return tensor.size == 1 and -rank <= int(tensor.array.ravel()[0]) < rank or (
        f"{tensor.array.tolist()} of rank {rank}")


def axis_of(tensor: Tensor, rank: int) -> int:
    """The axis that such a tensor names, from 0 on."""
    return int(tensor.array.ravel()[0]) % rank


def no_macs(graph: Graph, op: Op) -> int:
    """Operators without multiply-accumulates."""
    return 0


def printable(text: str, limit: int = 300) -> str:
    """Text with names from a file in it, for a message: one line, no control characters."""
    text = text if len(text) <= limit else f"{text[:limit]}..."
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def failed(constraints: tuple[Constraint, ...], graph: Graph, op: Op) -> list[str]:
    """The messages of the constraints that do not hold; later ones may rely on earlier ones."""
    messages = []
    for constraint in constraints:
        answer = constraint(graph, op)
        if answer is not True:
            text = " ".join((constraint.__doc__ or constraint.__name__).split())
            messages.append(printable(f"{text} ({answer})" if answer else text))
            break
    return messages
