"""RELU and RELU6 behind an operator that clamps anyway become its activation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgekit import ops
from edgekit.fixed_point import activation_range
from edgekit.graph import Graph, Op
from edgekit.passes.rewriting import is_inner, without, writer

_ACTIVATION = {"RELU": 1, "RELU6": 3}
_CLAMPING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL",
             "AVERAGE_POOL_2D", "MAX_POOL_2D")


def fuse_activations(graph: Graph) -> Graph:
    """The graph whose operators clamp for those behind them."""
    for op in graph.ops:
        if op.kind in _ACTIVATION and is_inner(graph, op.inputs[0]):
            before = writer(graph, op.inputs[0])
            if before.kind in _CLAMPING and before.options.activation == 0 and _clamps(graph, op):
                options = replace(before.options, activation=_ACTIVATION[op.kind])
                graph = without(graph, op, {before: replace(before, outputs=op.outputs,
                                                            options=options)})
    return graph


def _clamps(graph: Graph, op: Op) -> bool:
    """Whether all it does to any int8 is what the fused activation of its number does."""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    values = np.arange(-128, 128, dtype=np.int8)
    limits = activation_range(_ACTIVATION[op.kind], target.scale, target.zero_point)
    (result,) = ops.get(op.kind).reference(graph, op, [values])
    return source.quant == target.quant and np.array_equal(result, np.clip(values, *limits))
