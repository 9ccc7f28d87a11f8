"""One graph of two conversions of the same model: some operators of the int8 one, the others of
one with float or int16 activations, and the conversions between.

A converter quantizes a whole model in one way. But it keeps the order of the operators, so the
two files can be walked side by side: operators come from the one or the other, and where a value
crosses, QUANTIZE or DEQUANTIZE carries it over. Both ends stay int8.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from edgekit import ops
from edgekit.errors import BadModel
from edgekit.graph import DType, Graph, Op
from edgekit.passes.tables import WEIGHTS

Pair = tuple[Op | None, Op | None]  # the same operator in both; None where one has no such QUANTIZE


def mixed(int8: Graph, other: Graph, outside: Collection[int]) -> tuple[Graph, dict[int, int]]:
    """(the graph, its number of each tensor of `int8` that is left).

    `outside` are indices of operators of `int8` that are taken from `other` instead. Operators
    without weights follow those that write their inputs. BadModel where the conversions differ
    in more than QUANTIZE.
    """
    return _Mixer(int8, other, _aligned(int8, other), outside).graph()


def _aligned(left: Graph, right: Graph) -> list[Pair]:
    pairs: list[Pair] = []
    a, b = list(left.ops), list(right.ops)
    while a or b:
        if a and b and a[0].kind == b[0].kind:
            pairs.append((a.pop(0), b.pop(0)))
        elif a and a[0].kind == "QUANTIZE":
            pairs.append((a.pop(0), None))
        elif b and b[0].kind == "QUANTIZE":
            pairs.append((None, b.pop(0)))
        else:
            kinds = " and ".join(rest[0].kind if rest else "nothing" for rest in (a, b))
            raise BadModel(f"the converter made other operators of the model in the two types: "
                           f"{kinds} after {len(pairs)} that agree", "--outside int8")
    return pairs


class _Mixer:
    """Emits operators in order. A tensor is (side, index): 0 of `int8`, 1 of the other."""

    def __init__(self, int8: Graph, other: Graph, pairs: list[Pair], outside: Collection[int]):
        self.graphs, self.pairs = (int8, other), pairs
        self.twin: dict[tuple[int, int], int] = {}  # the same value on the other side
        self.source: dict[tuple[int, int], int] = {}  # what a QUANTIZE without twin reads
        self.done: set[tuple[int, int]] = {(0, i) for i in int8.inputs}
        self.emitted: list[tuple[str, object, int, list, list]] = []
        self._link(int8.inputs, other.inputs)
        for left, right in pairs:
            if left and right:
                self._link(left.outputs, right.outputs)
            else:
                side, op = (0, left) if left else (1, right)
                self.source[side, op.outputs[0]] = op.inputs[0]
        self.outside = self._spread(set(outside))

    def _link(self, left, right) -> None:
        for a, b in zip(left, right, strict=True):
            self.twin[0, a], self.twin[1, b] = b, a

    def _spread(self, outside: set[int]) -> set[int]:
        """The operators outside, with those that have no weights and only read what those write."""
        graph, written = self.graphs[0], set()
        for left, right in self.pairs:
            if left is None or right is None:
                continue
            read = [self._origin(0, i) for i in left.inputs
                    if i >= 0 and not graph.tensors[i].is_constant]
            if left.kind not in WEIGHTS and read and written.issuperset(read):
                outside.add(left.index)
            if left.index in outside:
                written.update(left.outputs)
        return outside

    def _origin(self, side: int, index: int) -> int:
        """What a value was before any QUANTIZE of its side alone."""
        while (side, index) in self.source:
            index = self.source[side, index]
        return index

    def graph(self) -> tuple[Graph, dict[int, int]]:
        for left, right in self.pairs:
            if left is None or right is None:
                continue  # emitted where it is read
            side, op = (1, right) if left.index in self.outside else (0, left)
            self._emit(side, op)
        for index in self.graphs[0].outputs:
            self._need(0, index)
        return self._numbered()

    def _emit(self, side: int, op: Op) -> None:
        tensors = self.graphs[side].tensors
        for index in op.inputs:
            if index >= 0 and not tensors[index].is_constant:
                self._need(side, index)
        self._append(op.kind, op.options, op.version, [(side, i) if i >= 0 else None
                                                       for i in op.inputs],
                     [(side, i) for i in op.outputs])

    def _append(self, kind: str, options, version: int, inputs: list, outputs: list) -> None:
        self.emitted.append((kind, options, version, inputs, outputs))
        self.done.update(outputs)

    def _need(self, side: int, index: int) -> None:
        """Make a value there on a side: by its QUANTIZE, or from the other side."""
        if (side, index) in self.done:
            return
        origin = self._origin(side, index)
        there = (side, origin) if (side, origin) in self.done else (1 - side,
                                                                    self.twin[side, origin])
        types = [self.graphs[a].tensors[b].dtype for a, b in (there, (side, index))]
        kind = "DEQUANTIZE" if types[1] is DType.FLOAT32 else "QUANTIZE"
        self._append(kind, ops.get(kind).Options(), 1, [there], [(side, index)])

    def _numbered(self) -> tuple[Graph, dict[int, int]]:
        """The graph of the emitted operators with the tensors that they use."""
        ends = [(0, i) for i in (*self.graphs[0].inputs, *self.graphs[0].outputs)]
        used = ends + [tensor for _, _, _, inputs, outputs in self.emitted
                       for tensor in (*inputs, *outputs) if tensor is not None]
        numbers = {tensor: number for number, tensor in enumerate(sorted(set(used)))}
        tensors = tuple(self.graphs[side].tensors[index] for side, index in numbers)
        operators = tuple(
            Op(kind, tuple(-1 if t is None else numbers[t] for t in inputs),
               tuple(numbers[t] for t in outputs), options, version, place)
            for place, (kind, options, version, inputs, outputs) in enumerate(self.emitted))
        found = replace(self.graphs[0], tensors=tensors, ops=operators,
                        inputs=tuple(numbers[0, i] for i in self.graphs[0].inputs),
                        outputs=tuple(numbers[0, i] for i in self.graphs[0].outputs))
        return found, {index: number for (side, index), number in numbers.items() if side == 0}
