"""Run a Graph on integers in NumPy: each operator's reference(), in order."""

from __future__ import annotations

import numpy as np

from edgekit import ops
from edgekit.graph import Graph


def run(graph: Graph, inputs: tuple[np.ndarray, ...]) -> dict[int, np.ndarray]:
    """Every tensor an inference computes, by index; inputs in the graph's order and dtypes."""
    values = {i: t.array for i, t in enumerate(graph.tensors) if t.is_constant}
    for index, value in zip(graph.inputs, inputs, strict=True):
        tensor = graph.tensors[index]
        values[index] = np.asarray(value, tensor.dtype.numpy).reshape(tensor.shape)
    for op in graph.ops:
        arguments = [values[i] if i >= 0 else None for i in op.inputs]
        results = ops.get(op.kind).reference(graph, op, arguments)
        values.update(zip(op.outputs, results, strict=True))
    return values
