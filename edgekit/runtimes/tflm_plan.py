"""A plan of the arena for TFLite Micro, written into the .tflite: its own greedy planner is not
always the best.

Source: micro_allocation_info.cc, GetOfflinePlannedOffsets: metadata of this name, a buffer of
int32: version 1, subgraph 0, the number of tensors, an offset for each, -1 to be planned online.
"""

from __future__ import annotations

import numpy as np

from edgekit import memory
from edgekit.graph import Graph
from edgekit.ops.base import Call

METADATA = "OfflineMemoryAllocation"
ALIGNMENT = 16  # TFLite Micro's, bytes
_ONLINE, _VERSION, _SUBGRAPH = -1, 1, 0


def offsets(graph: Graph) -> tuple[int, ...] | None:
    """The place of each tensor in TFLite Micro's arena; None for a graph that keeps state, whose
    tensors live between inferences.

    Kernels of TFLite Micro say nothing of their order, so nothing overlaps but the input and the
    output of RESHAPE, which copies only where they differ. Their scratch is planned online.
    """
    written = {i for op in graph.ops for i in op.outputs}
    known = written | set(graph.inputs) | {i for i, t in enumerate(graph.tensors) if t.is_constant}
    if any(i >= 0 and i not in known for op in graph.ops for i in op.inputs) \
            or any(not op.outputs for op in graph.ops):
        return None
    calls = tuple(() if op.kind == "RESHAPE" and not graph.tensors[op.inputs[0]].is_constant
                  else (Call(op.kind, op.kind, (), op.inputs, op.outputs),) for op in graph.ops)
    plan = memory.plan(graph, calls, ALIGNMENT)
    return tuple(plan.offset(i) if i in written or i in graph.inputs else _ONLINE
                 for i in range(len(graph.tensors)))


def metadata(planned: tuple[int, ...]) -> dict[str, bytes]:
    """The metadata of a file, by name."""
    numbers = (_VERSION, _SUBGRAPH, len(planned), *planned)
    return {METADATA: np.array(numbers, "<i4").tobytes()}
