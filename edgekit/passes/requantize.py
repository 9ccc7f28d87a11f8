"""QUANTIZE that changes nothing, alone or with the DEQUANTIZE or QUANTIZE before it, is left out."""

from __future__ import annotations

import numpy as np

from edgekit import ops
from edgekit.graph import DType, Graph, Op
from edgekit.passes.rewriting import is_inner, reading, readers, without, writer

_STEPS = ("QUANTIZE", "DEQUANTIZE")


def fold_quantize(graph: Graph) -> Graph:
    """The graph without pairs that give back every int8, and without steps that do so alone."""
    for op in graph.ops:
        chain = _chain(graph, op)
        while chain and not _is_identity(graph, chain):
            chain = chain[1:]
        if chain and op.outputs[0] not in graph.outputs:
            graph = _left_out(graph, chain)
    return graph


def _chain(graph: Graph, op: Op) -> list[Op]:
    """[the step before, if it feeds nobody else, and] the QUANTIZE to int8; nothing for others."""
    if op.kind != "QUANTIZE" or op not in graph.ops or graph.outputs_of(op)[0].dtype is not DType.INT8:
        return []
    before = writer(graph, op.inputs[0])
    joined = before is not None and before.kind in _STEPS and is_inner(graph, op.inputs[0])
    return [before, op] if joined else [op]


def _is_identity(graph: Graph, chain: list[Op]) -> bool:
    """Whether all 256 values come out as they went in; the tensors' quantization is the same, so
    that readers cannot tell them apart."""
    source, target = graph.inputs_of(chain[0])[0], graph.outputs_of(chain[-1])[0]
    if source.dtype is not DType.INT8 or source.is_constant or source.quant != target.quant:
        return False
    values = np.arange(-128, 128, dtype=np.int8)
    result = values
    for op in chain:
        (result,) = ops.get(op.kind).reference(graph, op, [result])
    return np.array_equal(result, values)


def _left_out(graph: Graph, chain: list[Op]) -> Graph:
    source, target = chain[0].inputs[0], chain[-1].outputs[0]
    changed = {op: reading(op, target, source) for op in readers(graph, target)}
    for op in chain:
        graph = without(graph, op, changed)
    return graph
