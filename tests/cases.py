"""One-operator models from tests/ops/*.toml, and the inputs to feed them."""

from __future__ import annotations

import tomllib
import zlib
from pathlib import Path

import numpy as np

from edgekit import ops
from edgekit.graph import DType, Graph, Op, Quant, Tensor

FOLDER = Path(__file__).parent / "ops"


def load() -> list[tuple[str, Graph]]:
    """(id, graph) of every case."""
    cases = []
    for path in sorted(FOLDER.glob("*.toml")):
        for case in tomllib.loads(path.read_text())["case"]:
            cases.append((f"{path.stem}: {case['name']}", graph_of(path.stem.upper(), case)))
    return cases


def graph_of(kind: str, case: dict) -> Graph:
    """The graph of one case: its inputs first, its outputs last."""
    rng = np.random.default_rng(zlib.crc32(case["name"].encode()))
    inputs = [_tensor(f"input_{i}", entry, rng) for i, entry in enumerate(case["inputs"])]
    outputs = [_tensor(f"output_{i}", entry, rng) for i, entry in enumerate(case["outputs"])]
    count = len(inputs)
    options = ops.get(kind).Options(**{key: tuple(value) if isinstance(value, list) else value
                                       for key, value in case.get("options", {}).items()})
    op = Op(kind, tuple(range(count)), tuple(range(count, count + len(outputs))), options,
            case.get("version", 1))
    return Graph("case", (*inputs, *outputs), (op,),
                 tuple(i for i, tensor in enumerate(inputs) if not tensor.is_constant), op.outputs)


def _tensor(name: str, entry: dict, rng: np.random.Generator) -> Tensor:
    shape, dtype = tuple(entry["shape"]), DType(entry.get("dtype", "int8"))
    quant = None
    if "scale" in entry:
        scales = entry["scale"] if isinstance(entry["scale"], list) else [entry["scale"]]
        scales = tuple(float(np.float32(scale)) for scale in scales)
        quant = Quant(scales, (entry.get("zero_point", 0),) * len(scales),
                      entry["axis"] if len(scales) > 1 else None)
    return Tensor(name, shape, dtype, quant, _data(entry, shape, dtype, rng))


def _data(entry: dict, shape: tuple, dtype: DType, rng: np.random.Generator) -> bytes | None:
    if "values" in entry:
        return np.array(entry["values"], dtype.numpy).reshape(shape).tobytes()
    if "fill" not in entry:
        return None
    low, high = entry.get("range", {"uniform": (-127, 127), "small": (-7, 7),
                                    "zeros": (0, 0)}[entry["fill"]])
    return rng.integers(low, high, shape, endpoint=True).astype(dtype.numpy).tobytes()


def samples(graph: Graph, random: int = 6) -> list[tuple[np.ndarray, ...]]:
    """Extremes first: all lowest, all highest, all zero points; then seeded random samples."""
    tensors = [graph.tensors[i] for i in graph.inputs]
    rng = np.random.default_rng(0)

    def filled(value_of):
        return tuple(np.full(t.shape, value_of(t), t.dtype.numpy) for t in tensors)

    def drawn(tensor: Tensor) -> np.ndarray:
        if tensor.dtype is DType.FLOAT32:
            return rng.normal(0, 3, tensor.shape).astype(np.float32)
        info = np.iinfo(tensor.dtype.numpy)
        return rng.integers(info.min, info.max, tensor.shape, endpoint=True).astype(tensor.dtype.numpy)

    def extreme(tensor: Tensor, side: str):
        if tensor.dtype is DType.FLOAT32:
            return -1e6 if side == "min" else 1e6
        return getattr(np.iinfo(tensor.dtype.numpy), side)

    return [filled(lambda t: extreme(t, "min")), filled(lambda t: extreme(t, "max")),
            filled(lambda t: t.zero_point if t.quant else 0),
            *(tuple(drawn(t) for t in tensors) for _ in range(random))]
