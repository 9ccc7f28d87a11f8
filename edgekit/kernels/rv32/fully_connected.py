"""FULLY_CONNECTED: eight outputs share each input."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.kernels.channels import proven
from edgekit.kernels.tables import with_tables
from edgekit.ops import fully_connected
from edgekit.ops.base import Call


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    channels = proven(graph, op, graph.inputs_of(op)[1].array, op.options.activation)
    if channels is None:
        return None
    (portable,) = fully_connected.lower(graph, op)
    return (with_tables(portable, "fully_connected_s8_rv32", channels, channels.weights,
                        channels.bias),)
