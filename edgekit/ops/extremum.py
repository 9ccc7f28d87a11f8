"""What MINIMUM and MAXIMUM share."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.ops import elementwise, overlap
from edgekit.ops.base import Call, NoOptions, all_int8, one_quantization

Options = NoOptions

# TFLM compares without rescaling: with two quantizations it would give wrong numbers silently.
CONSTRAINTS = (all_int8, one_quantization, elementwise.broadcastable)


def lower(is_maximum: int, graph: Graph, op: Op) -> tuple[Call, ...]:
    params = (*elementwise.traversal_params(graph, op.inputs), ("is_maximum", is_maximum))
    return (Call("extremum", "extremum_s8", params, op.inputs, op.outputs,
                 over=overlap.elementwise(graph, op.inputs, op.outputs[0])),)
