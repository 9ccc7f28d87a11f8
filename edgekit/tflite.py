"""bytes -> Graph: reads a .tflite, and refuses it with every reason at once.

Source: tensorflow/lite/schema/schema.fbs, version 3; numbers below are its slots.
What a runtime cannot do with a valid file is `check.py`'s business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from edgekit import ops
from edgekit.errors import BadModel
from edgekit.flatbuffer import Reader, Table
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.ops.base import printable
from edgekit.ops.schema import DTYPES, OPERATOR_NAMES, OTHER_TYPES, WITHOUT_OUTPUT

MAX_RANK, MAX_ELEMENTS, MAX_NAME = 6, 2**28 - 1, 65535
_RANGES = {DType.INT4: (-8, 7), DType.INT8: (-128, 127), DType.UINT8: (0, 255), DType.INT16: (-32768, 32767),
           DType.INT32: (-(2**31), 2**31 - 1)}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file keeps its constants, (first byte, length) per tensor, and its scales, (first
    byte, count); None where a tensor has none."""

    spans: tuple[tuple[int, int] | None, ...]
    scales: tuple[tuple[int, int] | None, ...]


def read(data: bytes, name: str = "model") -> Graph:
    """The graph in a .tflite file; BadModel's `reasons` hold everything that is wrong with it."""
    return _File(data, name).graph


def read_layout(data: bytes) -> Layout:
    """Where the constants of a valid file are."""
    file = _File(data, "model")
    return Layout(tuple(file.spans), tuple(file.scales))


class _File:
    """One pass over the file; problems are collected in `reasons`."""

    def __init__(self, data: bytes, name: str):
        self.reasons: dict[str, None] = {}  # a set that keeps the order
        self.prefix = ""  # of reasons: the subgraph, where it is not the first
        self.data = data
        if not data:
            raise BadModel("the model file is empty", "convert the model again")
        if len(data) < 8 or data[4:8] != b"TFL3":
            raise BadModel("this is not a .tflite file (no TFL3 identifier at byte 4)",
                           "give the .tflite that the converter wrote")
        self.reader = Reader(data)
        model = self.reader.root()
        self._version(model)
        self.buffers = [self._buffer(i, table)
                        for i, table in enumerate(model.tables(4, "buffers"))]
        self.contents: dict[int, bytes] = {}
        self.codes = [self._code(table) for table in model.tables(1, "operator codes")]
        subgraphs = model.tables(2, "subgraphs")
        if not subgraphs:
            raise BadModel("the file has no subgraph: there is no model in it", "convert it again")
        self.initialisers: set[int] = set()
        self.spans: list[tuple[int, int] | None] = []
        self.scales: list[tuple[int, int] | None] = []
        self.variables: set[int] = set()
        self.graph = self._graph(subgraphs[0], name)
        self._initialisers(subgraphs)
        self._stop()

    def _refuse(self, reason: str) -> None:
        self.reasons[printable(self.prefix + reason)] = None

    def _initialisers(self, subgraphs: list[Table]) -> None:
        """Subgraphs behind the first: CALL_ONCE runs them at start to set variables.

        They are checked, but are no part of the graph: what computes CALL_ONCE takes the file.
        """
        others = set(range(1, len(subgraphs)))
        if others != self.initialisers:
            self._refuse(f"the file has {len(subgraphs)} subgraphs and CALL_ONCE names "
                         f"{sorted(self.initialisers)}: edgekit takes one, and initialisers")
        spans, scales = self.spans, self.scales
        for index in sorted(others & self.initialisers):
            self.prefix, self.variables = f"subgraph {index}: ", set()
            self.spans, self.scales = [], []
            table = subgraphs[index]
            tensors = [self._tensor(i, t) for i, t in enumerate(table.tables(0, "tensors"))]
            for i, t in enumerate(table.tables(3, "operators")):
                self._op(i, t, len(tensors))
        self.prefix, self.spans, self.scales = "", spans, scales

    def _stop(self) -> None:
        if self.reasons:
            more = f" (and {len(self.reasons) - 1} more)" if len(self.reasons) > 1 else ""
            raise BadModel(f"the model cannot be used: {next(iter(self.reasons))}{more}",
                           "edgekit check MODEL lists all of it; convert the model again",
                           reasons=tuple(self.reasons))

    def _version(self, model: Table) -> None:
        version = model.scalar(0, "I", 0)
        if version != 3:
            raise BadModel(f"the file has schema version {version}, edgekit reads version 3",
                           "convert the model with TensorFlow 2")

    def _buffer(self, index: int, table: Table) -> tuple[int, int] | None:
        """(first byte, length) of a buffer's data, inside the table or behind the flatbuffer."""
        offset, size = table.scalar(1, "Q", 0), table.scalar(2, "Q", 0)
        if offset > 1:
            if offset + size > len(self.data):
                self._refuse(f"buffer {index} points outside the file (bytes {offset} to "
                             f"{offset + size} of {len(self.data)})")
                return None
            self.reader.spend(size)
            return (offset, size) if size else None
        span = table.span(0)
        return span if span and span[1] else None

    def _code(self, table: Table) -> tuple[str, int]:
        """(kind, version) of an operator code."""
        code = max(table.scalar(0, "b", 0), table.scalar(3, "i", 0))
        version = table.scalar(2, "i", 1)
        if not 0 <= code < len(OPERATOR_NAMES):
            return f"UNKNOWN_{code}", version
        if OPERATOR_NAMES[code] == "CUSTOM":
            return f"CUSTOM:{table.string(1)}", version
        return OPERATOR_NAMES[code], version

    def _graph(self, table: Table, name: str) -> Graph:
        tensors = tuple(self._tensor(i, t) for i, t in enumerate(table.tables(0, "tensors")))
        inputs = self._indices(table.vector(1, "i"), len(tensors), "the graph's inputs")
        outputs = self._indices(table.vector(2, "i"), len(tensors), "the graph's outputs")
        operators = tuple(self._op(i, t, len(tensors))
                          for i, t in enumerate(table.tables(3, "operators")))
        if not operators:
            self._refuse("the graph has no operators")
        for i in inputs:
            if 0 <= i < len(tensors) and tensors[i].is_constant:
                self._refuse(f"input '{tensors[i].name}' is a constant")
        if len(set(inputs)) != len(inputs):
            self._refuse(f"the graph's inputs name a tensor twice: {list(inputs)}")
        self._stop()
        graph = Graph(name, tensors, operators, inputs, outputs)
        self._order(graph)
        for i in inputs:
            shape = tensors[i].shape
            if len(shape) > 1 and shape[0] > 1:
                self._refuse(f"input '{tensors[i].name}' has batch {shape[0]}: fix it at 1")
        return graph

    def _indices(self, indices: tuple[int, ...], count: int, where: str) -> tuple[int, ...]:
        if not indices:
            self._refuse(f"{where} are empty")
        for i in indices:
            if not 0 <= i < count:
                self._refuse(f"{where} name tensor {i} of {count}")
        return indices

    def _tensor(self, index: int, table: Table) -> Tensor:
        name = table.string(3) or f"tensor_{index}"
        if len(name) > MAX_NAME:
            self._refuse(f"tensor {index} has a name of {len(name)} characters, at most {MAX_NAME} "
                         "are supported")
            name = f"tensor_{index}"
        where = f"tensor {index} '{name[:80]}'"
        shape = self._shape(table, where)
        number = table.scalar(1, "b", 0)
        dtype = DTYPES.get(number)
        if dtype is None:
            self._refuse(f"{where} has type {OTHER_TYPES.get(number, number)}")
            dtype = DType.INT8
        if table.has(6):
            self._refuse(f"{where} is sparse: densify it before converting")
        if table.scalar(5, "?", False):
            self.variables.add(index)
        quantization = table.table(4)
        quant = self._quant(quantization, shape, dtype, where)
        shape_is_known, shape = shape is not None, shape or ()
        buffer = table.scalar(2, "I", 0)
        if buffer >= max(len(self.buffers), 1):
            self._refuse(f"{where} uses buffer {buffer} of {len(self.buffers)}")
            buffer = 0
        span = self.buffers[buffer] if self.buffers else None
        self.spans.append(span)
        self.scales.append(quantization and quantization.vector_span(2, "f"))
        tensor = Tensor(name, shape, dtype, quant, self._content(buffer, span))
        if dtype is DType.INT4 and span is None:
            self._refuse(f"{where} has type int4, and is no constant")
        if span is not None and shape_is_known and number in DTYPES and span[1] != tensor.nbytes:
            self._refuse(f"{where} has {span[1]} bytes of data, its shape {list(shape)} needs "
                         f"{tensor.nbytes}")
        return tensor

    def _content(self, buffer: int, span: tuple[int, int] | None) -> bytes | None:
        """A buffer's bytes, one object for all tensors that share it."""
        if span is None:
            return None
        if buffer not in self.contents:
            self.contents[buffer] = self.data[span[0]:span[0] + span[1]]
        return self.contents[buffer]

    def _shape(self, table: Table, where: str) -> tuple[int, ...] | None:
        """The shape, or None where it is refused."""
        shape = table.vector(0, "i")
        if len(shape) > MAX_RANK:
            self._refuse(f"{where} has rank {len(shape)}, at most {MAX_RANK} is supported")
            return None
        if shape and shape[0] == -1:
            shape = (1, *shape[1:])  # a dynamic batch: firmware runs one sample
        signature = table.vector(7, "i")
        if any(dim == -1 for dim in signature[1:]):
            self._refuse(f"{where} has a dynamic dimension that is not the batch: "
                         f"{list(signature[:MAX_RANK + 1])}")
        if any(dim <= 0 for dim in shape):
            self._refuse(f"{where} has dimension {min(shape)} in its shape {list(shape)}")
            return None
        if math.prod(shape) > MAX_ELEMENTS:
            self._refuse(f"{where} with shape {list(shape)} is too large: {math.prod(shape):,} "
                         f"elements, at most {MAX_ELEMENTS:,} are supported")
            return None
        return shape

    def _quant(self, table: Table | None, shape: tuple[int, ...] | None, dtype: DType,
               where: str) -> Quant | None:
        if table is None:
            return None
        scale, zero_point = table.vector(2, "f"), table.vector(3, "q")
        if not scale:
            return None
        axis = table.scalar(6, "i", 0)
        if not zero_point:
            zero_point = (0,) * len(scale)
        if len(zero_point) == 1 and len(scale) > 1:
            zero_point *= len(scale)
        if len(zero_point) != len(scale):
            self._refuse(f"{where} has {len(scale)} scales and {len(zero_point)} zero points")
        for value in scale:
            if not math.isfinite(value) or value < 1.1754943508222875e-38:
                self._refuse(f"{where} has scale {value}")
                break
        low, high = _RANGES.get(dtype, (0, 0))
        if dtype in _RANGES and not all(low <= z <= high for z in zero_point):
            self._refuse(f"{where} has a zero point outside {low}..{high}")
        if shape is not None and len(shape) == 1 and shape[0] == len(scale):
            axis = 0  # some converters give a bias the axis of the weights; it has only one
        if len(scale) > 1 and dtype is DType.UINT8 and len(shape or ()) == 1:
            return None  # TFLite Micro's compressor leaves the weights' scales on packed weights
        has_channels = len(scale) > 1 and shape is not None
        if has_channels and not (0 <= axis < len(shape) and shape[axis] == len(scale)):
            self._refuse(f"{where} has {len(scale)} scales on axis {axis} of shape {list(shape)}")
        return Quant(scale, zero_point, axis if len(scale) > 1 else None)

    def _op(self, index: int, table: Table, tensors: int) -> Op:
        opcode = table.scalar(0, "I", 0)
        if opcode >= len(self.codes):
            self._refuse(f"operator {index} has code {opcode} of {len(self.codes)}")
            return Op("UNKNOWN", (), (), index=index)
        kind, version = self.codes[opcode]
        where = f"operator {index} {kind}"
        inputs, outputs = table.vector(1, "i"), table.vector(2, "i")
        if not outputs and kind not in WITHOUT_OUTPUT:
            self._refuse(f"{where} has no output")
        if kind == "CALL_ONCE":
            options = table.table(4)
            self.initialisers.add(options.scalar(0, "i", 0) if options else 0)
        if not all(-1 <= i < tensors for i in inputs):
            self._refuse(f"{where} reads a tensor outside 0..{tensors - 1}")
        if not all(0 <= i < tensors for i in outputs):
            self._refuse(f"{where} writes a tensor outside 0..{tensors - 1}")
        return Op(kind, inputs, outputs, self._options(kind, table, where), version, index)

    def _options(self, kind: str, table: Table, where: str) -> object:
        module = ops.get(kind)
        if module is None:
            return None
        union, options = table.scalar(3, "B", 0), table.table(4)
        if options is None or union == 0:
            return module.Options()
        if union != module.OPTIONS_TYPE:
            self._refuse(f"{where} has the options of another operator (type {union})")
            return module.Options()
        values = {f.name: _field(options, f) for f in fields(module.Options)}
        for name, value in values.items():
            if isinstance(value, float) and not math.isfinite(value):
                self._refuse(f"{where} has {name} {value}")
        return module.Options(**values)

    def _order(self, graph: Graph) -> None:
        """Every tensor is written once, before it is read."""
        ready = set(graph.inputs) | self.variables
        ready |= {i for i, t in enumerate(graph.tensors) if t.is_constant}
        written: set[int] = set()
        for op in graph.ops:
            where = f"operator {op.index} {op.kind}"
            for i in op.inputs:
                if i >= 0 and i not in ready:
                    self._refuse(f"{where} reads '{graph.tensors[i].name}' before it is written")
            for i in op.outputs:
                if i in written or i in graph.inputs or graph.tensors[i].is_constant:
                    self._refuse(f"{where} writes '{graph.tensors[i].name}', which is written, "
                                 "constant or an input already")
                written.add(i)
                ready.add(i)
        for i in graph.outputs:
            if i not in ready:
                self._refuse(f"output '{graph.tensors[i].name}' is never written")


def _field(table: Table, f) -> object:
    slot, letter = f.metadata["slot"], f.metadata["type"]
    if letter.startswith("v"):
        return table.vector(slot, letter[1:])
    return table.scalar(slot, letter, f.default)
