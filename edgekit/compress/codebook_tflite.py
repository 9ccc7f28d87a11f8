"""Codebooks for the weights of an int8 .tflite, without a framework and without training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgekit import tflite
from edgekit.compress import codebook
from edgekit.compress.carry import WEIGHTS, real_values, put
from edgekit.compress.codebook import STEP
from edgekit.compress.encoding import Coded, fitted_scale
from edgekit.compress.grids import Grid, grids
from edgekit.compress.layer_names import layer_names, renamed
from edgekit.graph import DType, Graph, Tensor

# From this share of zeros on they were pruned: of int8 weights a percent or two round to zero.
PRUNED = 0.1


def encode(content: bytes, method: str, options: Mapping) -> tuple[bytes, dict[int, Coded]]:
    """(the file with codebooks, the layer of each tensor that has one).

    Layers have the names of the model that was converted, where the file tells them, or else
    those of their outputs; the type is the operator's. `options` are those of `grids`. Raises
    UsageError.
    """
    graph = tflite.read(content)
    found = _layers(graph)
    names = layer_names([output for output, _, _ in found])
    whole = dict(zip([output for output, _, _ in found], names, strict=True))
    layers = [(name, kind, tensor) for name, (_, kind, tensor) in zip(names, found, strict=True)]
    options = {**options, "scope": renamed(options.get("scope"), whole)}
    plan = grids([(name, kind) for name, kind, _ in layers], method, **options)
    kernels = {tensor: _coded(name, graph.tensors[tensor], plan[name])
               for name, _, tensor in layers if plan[name].levels is not None
               or not plan[name].per_channel or plan[name].step != STEP}
    return (put(graph, content, kernels) if kernels else content), kernels


def _layers(graph: Graph) -> list[tuple[str, str, int]]:
    """(output's name, operator, weight tensor) of every operator with int8 weights."""
    found = []
    for op in graph.ops:
        index = op.inputs[WEIGHTS[op.kind][0]] if op.kind in WEIGHTS else -1
        if index >= 0 and graph.tensors[index].is_constant and (
                graph.tensors[index].dtype is DType.INT8) and graph.tensors[index].quant:
            found.append((graph.tensors[op.outputs[0]].name, op.kind, index))
    return found


def _coded(name: str, tensor: Tensor, grid: Grid) -> Coded:
    """A weight tensor with its values moved to the levels of its grid."""
    values = real_values(tensor).reshape(tensor.shape)
    scale = _scale(tensor, grid, values)
    fractions = values / (scale * STEP)
    if grid.levels is None:
        if grid.step != STEP:
            scale = fitted_scale(values, scale * STEP, grid.step) / np.float32(grid.step)
        codes = np.clip(np.round(values / scale), -grid.step, grid.step).astype(np.int8)
        return Coded(name, codes, scale, int4=grid.step != STEP)
    zeros = fractions == 0
    pruned = PRUNED <= zeros.mean() < 1
    if grid.knots is None:
        chosen = fractions[~zeros] if pruned else fractions
        book, beyond = codebook.fit(chosen, grid.method, grid.levels, zero=pruned), 0.0
    else:
        knots = np.array(grid.knots) / (1 if grid.per_channel else np.abs(grid.knots).max())
        book = codebook.given(grid.levels, np.clip(knots, -1, 1), zero=pruned)
        low, high = book.levels[[0, -1]]
        beyond = float(((fractions < low) | (fractions > high)).mean())
    codes = codebook.codes(book, fractions)
    return Coded(name, np.where(zeros, np.int8(0), codes) if pruned else codes, scale,
                 grid.levels, beyond)


def _scale(tensor: Tensor, grid: Grid, values: np.ndarray) -> np.ndarray:
    """float32 that broadcasts against the tensor."""
    if not grid.per_channel:
        top = np.abs(values if grid.knots is None else grid.knots).max()
        return np.full((1,) * values.ndim, top / STEP, np.float32)
    shape = [1] * values.ndim
    if tensor.quant.axis is not None:
        shape[tensor.quant.axis] = -1
    return np.asarray(tensor.quant.scale, np.float32).reshape(shape)
