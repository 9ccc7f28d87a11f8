"""A shape computed at run time, as a dynamic batch leaves it, becomes the constant it is.

Converters write SHAPE, STRIDED_SLICE and PACK in front of a RESHAPE where the batch is unknown;
with the batch at 1 the result is the shape that the file gives the RESHAPE's output.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgekit.graph import DType, Graph, Op, Tensor
from edgekit.passes.live import live

# Operators that take a shape, and which input it is.
SHAPED_BY = {"RESHAPE": 1, "TRANSPOSE_CONV": 0, "BROADCAST_TO": 1, "FILL": 0}


def computed_shapes(graph: Graph) -> list[Op]:
    """The operators whose output shape is computed by other operators of the graph."""
    written = {i for op in graph.ops for i in op.outputs}
    return [op for op in graph.ops if op.kind in SHAPED_BY and len(op.inputs) > SHAPED_BY[op.kind]
            and op.inputs[SHAPED_BY[op.kind]] in written]


def static_shapes(graph: Graph) -> Graph:
    """The same graph with constant shapes and without the operators that computed them."""
    tensors, changed = list(graph.tensors), {}
    for op in computed_shapes(graph):
        shape = np.array(graph.outputs_of(op)[0].shape, "<i4")
        tensors.append(Tensor(f"shape_of_{op.index}", shape.shape, DType.INT32,
                              data=shape.tobytes()))
        inputs = list(op.inputs)
        inputs[SHAPED_BY[op.kind]] = len(tensors) - 1
        changed[op] = replace(op, inputs=tuple(inputs))
    if not changed:
        return graph
    return live(replace(graph, tensors=tuple(tensors),
                        ops=tuple(changed.get(op, op) for op in graph.ops)))
