"""Random int8 graphs that are valid: each operator by a recipe, scales chosen by what they give.

A graph grows operator by operator. A recipe picks tensors that are there (or asks for a new graph
input), draws constants and options, and leaves the output's scale open: of some draws, log-uniform
between 2^-12 and 2^4, the first one is taken that leaves three distinct values. One scale in ten
is at an edge of requantization instead: a shift of 0 or 31, the largest multiplier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgekit import checks, ops
from edgekit.graph import DType, Graph, Op, Quant, Tensor

MAX_ELEMENTS = 1500
EDGES_SHARE, ZEROS_SHARE = 0.1, 0.03
SCALES_LOG2 = (-12, 4)
TRIES = 30
RECIPES: dict[str, Callable[[Builder], int | None]] = {}


def recipe(*kinds: str):
    """Registers a function (builder, kind) -> whether it could."""
    def register(function):
        RECIPES.update(dict.fromkeys(kinds, function))
        return function
    return register


@dataclass
class Drawn:
    """A graph, and what its drawing used: scales at an edge and others, by count."""

    graph: Graph
    scales: Counter


class Builder:
    """A graph in the making; `values` has each tensor on every sample, by reference()."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self.inputs: list[int] = []
        self.values: dict[int, list[np.ndarray]] = {}
        self.scales: Counter = Counter()

    # Draws

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, choices):
        return choices[self.integer(0, len(choices) - 1)]

    def scale(self) -> float:
        return float(np.float32(2.0 ** self.rng.uniform(*SCALES_LOG2)))

    def zero_point(self) -> int:
        return self.pick((-128, 127, 0)) if self.chance(0.3) else self.integer(-128, 127)

    def quant(self) -> Quant:
        return Quant((self.scale(),), (self.zero_point(),))

    def shape(self, rank: int | None = None) -> tuple[int, ...]:
        """A shape that a graph input may have: of batch 1."""
        rank = rank or self.pick((1, 2, 3, 4, 4, 4, 5, 6))
        if rank == 1:
            return (self.integer(1, 40),)
        most = {2: 40, 3: 9, 4: 9, 5: 5, 6: 4}[rank]
        return (1, *(self.integer(1, most) for _ in range(rank - 1)))

    # Tensors

    def add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def input(self, shape: tuple[int, ...], dtype: DType = DType.INT8,
              quant: Quant | None = None) -> int:
        """A new graph input, with values for the samples."""
        quant = quant or (self.quant() if dtype is DType.INT8 else None)
        index = self.add(Tensor(f"input_{len(self.tensors)}", shape, dtype, quant))
        self.inputs.append(index)
        self.values[index] = self._samples(self.tensors[index])
        return index

    def _samples(self, tensor: Tensor) -> list[np.ndarray]:
        """All lowest, all highest, then random values."""
        if tensor.dtype is DType.FLOAT32:
            return [self.rng.normal(0, 3, tensor.shape).astype(np.float32) for _ in range(4)]
        return [np.full(tensor.shape, value, np.int8) for value in (-128, 127)] + [
            self.rng.integers(-128, 127, tensor.shape, np.int8, endpoint=True) for _ in range(3)]

    def constant(self, array: np.ndarray, quant: Quant | None = None) -> int:
        array = np.asarray(array)
        dtype = DType(array.dtype.name)
        return self.add(Tensor(f"constant_{len(self.tensors)}", array.shape, dtype, quant,
                               array.astype(dtype.numpy).tobytes()))

    def integers(self, values) -> int:
        """An int32 constant: axes, paddings, a shape."""
        return self.constant(np.array(values, np.int32))

    def weights(self, shape: tuple[int, ...], quant: Quant | None = None, low: int = -127) -> int:
        """An int8 constant; a few are all zeros."""
        limit = self.pick((127, 127, 7))
        values = self.rng.integers(max(low, -limit), limit, shape, endpoint=True)
        zeros = self.chance(ZEROS_SHARE)
        self.scales["zero weights"] += zeros
        return self.constant((values * (not zeros)).astype(np.int8), quant or self.quant())

    def activations(self, rank: int | None = None, largest: int = MAX_ELEMENTS) -> list[int]:
        """The int8 tensors that operators may read; a scalar is left to be an output."""
        return [i for i, t in enumerate(self.tensors) if i in self.values
                and t.dtype is DType.INT8 and t.size <= largest and self._varies(i)
                and (len(t.shape) == rank if rank else t.shape)]

    def _varies(self, index: int) -> bool:
        return len(np.unique(self.values[index])) > 2

    def any(self, rank: int | None = None, largest: int = MAX_ELEMENTS) -> int:
        """An activation of this rank, the latest most of the time; a new input where none is."""
        there = self.activations(rank, largest)
        if not there or self.chance(0.1):
            return self.input(self.shape(rank))
        return there[-1] if self.chance(0.6) else self.pick(there)

    def of_shape(self, shape: tuple[int, ...], quant: Quant | None = None) -> int:
        """An activation of this shape (and quantization), a new input, or a constant."""
        there = [i for i in self.activations() if self.tensors[i].shape == shape
                 and (quant is None or self.tensors[i].quant == quant)]
        if there and self.chance(0.7):
            return self.pick(there)
        if self.chance(0.5) or len(shape) > 1 and shape[0] != 1:
            return self.weights(shape, quant, -128)
        return self.input(shape, quant=quant)

    # Operators

    def graph(self, outputs: tuple[int, ...]) -> Graph:
        return Graph("random", tuple(self.tensors), tuple(self.ops), tuple(self.inputs), outputs)

    def op(self, kind: str, inputs: tuple[int, ...], quants: list[Quant | None], *,
           dtype: DType = DType.INT8, real: float | None = None, **options) -> bool:
        """Appends an operator with an output for each of `quants`, shapes by its own rules.

        Where a quant is None it is drawn; `real` is then what the output's scale divides in the
        multiplier. False, and nothing is appended, where the operator refuses.
        """
        before = len(self.tensors)
        at_edge = real is not None and self.chance(EDGES_SHARE)
        any_scale = self.chance(0.03)
        for _ in range(TRIES):
            drawn = [self._output_quant(real if at_edge else None)
                     if quant is None and dtype is DType.INT8 else (quant, "") for quant in quants]
            values = self._try(kind, inputs, [quant for quant, _ in drawn], dtype, options)
            if values is None:
                continue
            useful = all(len(np.unique(value)) > 2 or dtype is DType.INT32 for value in zip(*values))
            if useful or None not in quants or at_edge or any_scale:
                break
            del self.tensors[before:]
            self.ops.pop()
        else:
            return False
        self.scales.update(edge or "log-uniform" for (quant, edge), asked in zip(drawn, quants)
                           if asked is None and quant is not None)
        for index, value in zip(self.ops[-1].outputs, zip(*values), strict=True):
            self.values[index] = list(value)
        return True

    def _try(self, kind: str, inputs: tuple[int, ...], quants: list[Quant], dtype: DType,
             options: dict) -> list[tuple[np.ndarray, ...]] | None:
        """Appends the operator and gives its outputs on each sample, or None where it cannot be."""
        module, before = ops.get(kind), len(self.tensors)
        op = Op(kind, inputs, tuple(range(before, before + len(quants))),
                module.Options(**options), 1, len(self.ops))
        self.tensors += [Tensor(f"{kind.lower()}_{before + i}", (1,), dtype, quant)
                         for i, quant in enumerate(quants)]
        graph = replace(self.graph(op.outputs), ops=(op,))
        if not checks.failed(module.CONSTRAINTS, graph, op):
            for i, shape in zip(op.outputs, module.shapes(graph, op), strict=True):
                self.tensors[i] = replace(self.tensors[i], shape=shape)
            graph = replace(graph, tensors=tuple(self.tensors))
            if all(0 < self.tensors[i].size <= MAX_ELEMENTS for i in op.outputs):
                self.ops.append(op)
                return [tuple(module.reference(graph, op, arguments))
                        for arguments in self._arguments(inputs)]
        del self.tensors[before:]
        return None

    def _arguments(self, inputs: tuple[int, ...]) -> list[list[np.ndarray]]:
        count = min(len(self.values[i]) for i in inputs if i in self.values)
        return [[None if i < 0 else self.tensors[i].array if self.tensors[i].is_constant
                 else self.values[i][sample] for i in inputs] for sample in range(count)]

    def _output_quant(self, real: float | None) -> tuple[Quant, str]:
        """(quantization, name of the edge it is at)."""
        if real is None:
            return self.quant(), ""
        edge = self.pick(("shift 0", "shift 31", "multiplier 2^31 - 1"))
        zero_point = self.zero_point()
        if edge == "shift 0":  # of 1/2 up to, not with, 1
            scale = real * self.pick((1 + 2**-23, 2.0, 1.0 + self.rng.random()))
        elif edge == "shift 31":
            scale = real * 2.0**31 * self.pick((1.0, 1 + 2**-23, 2 - 2**-22))
        else:
            scale = _of_largest_multiplier(real, self.scale(), self.rng)
        scale = float(np.float32(scale))
        if not 2.0**-40 < scale < 2.0**40:
            return self.quant(), ""
        return Quant((scale,), (zero_point,)), edge

    def finish(self) -> Drawn | None:
        """The graph with all that nobody reads as its outputs; None where nothing was made."""
        read = {i for op in self.ops for i in op.inputs}
        made = [i for op in self.ops for i in op.outputs]
        outputs = tuple(i for i in made if i not in read or self.chance(0.1))
        if not made:
            return None
        kept = sorted(read.union(made) - {-1})
        place = {old: new for new, old in enumerate(kept)} | {-1: -1}
        operators = tuple(replace(op, inputs=tuple(place[i] for i in op.inputs),
                                  outputs=tuple(place[i] for i in op.outputs)) for op in self.ops)
        return Drawn(Graph("random", tuple(self.tensors[i] for i in kept), operators,
                           tuple(place[i] for i in self.inputs if i in read),
                           tuple(place[i] for i in outputs)), self.scales)


def _of_largest_multiplier(real: float, near: float, rng: np.random.Generator) -> float:
    """The float32 scale, about as large as `near`, whose multiplier is the nearest to 2^31."""
    power = 2.0 ** np.round(np.log2(near / real))
    candidates = np.float32(real * power) * (1 + np.arange(0, 4, dtype=np.float32) * 2.0**-23)
    mantissas = np.frexp(real / candidates.astype(np.float64))[0]
    return float(candidates[np.argmax(mantissas)])


def random_graph(seed: int, used: Counter, most: int = 5) -> Drawn:
    """A graph of 1 to `most` operators, those that `used` has least of first."""
    for attempt in range(50):
        builder = Builder(np.random.default_rng((seed, attempt)))
        wanted = builder.integer(1, most)
        for _ in range(3 * wanted):
            rarest = sorted(RECIPES, key=lambda kind: (used[kind], builder.rng.random()))
            kind = builder.pick(rarest[:6]) if builder.chance(0.8) else builder.pick(rarest)
            kept = len(builder.tensors), len(builder.inputs)
            if not RECIPES[kind](builder, kind):
                _forget(builder, *kept)
            if len(builder.ops) >= wanted:
                break
        drawn = builder.finish()
        if drawn and not checks.unsupported(drawn.graph):
            used.update(op.kind for op in drawn.graph.ops)
            return drawn
    raise AssertionError(f"no graph from seed {seed}: {checks.unsupported(drawn.graph)}")


def _forget(builder: Builder, tensors: int, inputs: int) -> None:
    """Takes back what a recipe that failed had drawn."""
    del builder.tensors[tensors:], builder.inputs[inputs:]
    builder.values = {i: value for i, value in builder.values.items() if i < tensors}
