"""The intermediate representation: a frozen graph of quantized tensors and operators."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np


class DType(enum.Enum):
    """Element type of a tensor; the value is NumPy's name for it, but for RESOURCE, the 4-byte
    handle of a variable in models that keep state, and INT4, two of which lie in a byte."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT32 = "int32"
    UINT8 = "uint8"
    INT64 = "int64"
    BOOL = "bool"
    INT16 = "int16"
    INT8 = "int8"
    INT4 = "int4"
    RESOURCE = "resource"

    @property
    def itemsize(self) -> int:
        return self.numpy.itemsize

    @property
    def numpy(self) -> np.dtype:
        """Of an element as a NumPy array has it."""
        name = {"resource": "int32", "int4": "int8"}.get(self.value, self.value)
        return np.dtype(name).newbyteorder("<")

    @property
    def c(self) -> str:
        """The C type that holds one element."""
        return {"float32": "float", "bool": "bool", "resource": "int32_t"}.get(self.value, f"{self.value}_t")


@dataclass(frozen=True, slots=True)
class Quant:
    """Affine quantization: real = scale * (q - zero_point), per tensor or per channel of `axis`."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor; `data` holds its little-endian bytes when it is constant, else None.

    `channels` are those of the file's last axis that a pass has left, None where all are there.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: Quant | None = None
    data: bytes | None = field(default=None, repr=False)
    channels: tuple[int, ...] | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for dim in self.shape:
            count *= dim
        return count

    @property
    def nbytes(self) -> int:
        if self.dtype is DType.INT4:
            return -(-self.size // 2)
        return self.size * self.dtype.itemsize

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def array(self) -> np.ndarray:
        """The constant data as a read-only view of shape `shape`."""
        if self.data is None:
            raise ValueError(f"tensor {self.name!r} is not constant")
        if self.dtype is DType.INT4:
            return _nibbles(self.data, self.size).reshape(self.shape)
        return np.frombuffer(self.data, self.dtype.numpy).reshape(self.shape)

    @property
    def scale(self) -> float:
        """The single scale of a per-tensor quantized tensor."""
        return self.quant.scale[0]

    @property
    def zero_point(self) -> int:
        """The single zero point of a per-tensor quantized tensor."""
        return self.quant.zero_point[0]


def packed_nibbles(values: np.ndarray) -> bytes:
    """Integers from -8 to 7, two in a byte, the first in the low half."""
    flat = np.asarray(values, np.int8).ravel()
    if flat.size and not (-8 <= flat.min() and flat.max() <= 7):
        raise ValueError(f"{flat.min()} .. {flat.max()} are no int4")
    halves = np.append(flat, np.zeros(flat.size % 2, np.int8)).view(np.uint8).reshape(-1, 2) & 15
    return (halves[:, 0] | halves[:, 1] << 4).astype(np.uint8).tobytes()


def _nibbles(data: bytes, count: int) -> np.ndarray:
    """The `count` integers in packed nibbles; int8."""
    pairs = np.frombuffer(data, np.int8)
    found = np.stack([(pairs << 4).astype(np.int8) >> 4, pairs >> 4], axis=1).ravel()[:count]
    found.flags.writeable = False
    return found


@dataclass(frozen=True, slots=True)
class Op:
    """One operator.

    `kind` is TFLite's builtin name; `inputs` and `outputs` index `Graph.tensors`, an input
    of -1 is an optional one left out; `options` is the `Options` dataclass of
    `edgekit.ops.<kind>` (None for a kind edgekit does not know); `index` is its place in the
    .tflite, which passes keep so that a report can name the file's operator.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: object = None
    version: int = 1
    index: int = 0


@dataclass(frozen=True)
class Graph:
    """A whole model. Operators are in execution order; `folded` are those of the file that became
    part of others, without outputs."""

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    folded: tuple[Op, ...] = ()

    @property
    def file_ops(self) -> tuple[Op, ...]:
        """One for each operator of the file, in its order."""
        return tuple(sorted((*self.ops, *self.folded), key=lambda op: op.index)) if self.folded \
            else self.ops

    @cached_property
    def sha256(self) -> str:
        """Digest of everything in the graph: equal graphs have equal digests."""
        digest = hashlib.sha256()
        for part in (self.name, self.inputs, self.outputs):
            digest.update(repr(part).encode())
        for tensor in self.tensors:
            digest.update(repr(tensor).encode())
            digest.update(hashlib.sha256(tensor.data or b"").digest())
        for op in self.ops:
            digest.update(repr(op).encode())
        return digest.hexdigest()

    def inputs_of(self, op: Op) -> tuple[Tensor | None, ...]:
        """The operator's input tensors, None where an optional one is left out."""
        return tuple(self.tensors[i] if i >= 0 else None for i in op.inputs)

    def outputs_of(self, op: Op) -> tuple[Tensor, ...]:
        return tuple(self.tensors[i] for i in op.outputs)


def options_as_dict(options: object) -> dict[str, object]:
    """The options of an operator by name, for reports."""
    return {f.name: getattr(options, f.name) for f in fields(options)} if options else {}
