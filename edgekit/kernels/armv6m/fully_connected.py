"""FULLY_CONNECTED: four outputs share each input."""

from __future__ import annotations

from edgekit.graph import Graph, Op
from edgekit.kernels import requantization
from edgekit.kernels.channels import proven
from edgekit.kernels.tables import with_tables
from edgekit.ops import fully_connected
from edgekit.ops.base import Call


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    channels = proven(graph, op, graph.inputs_of(op)[1].array, op.options.activation)
    zero_point = graph.outputs_of(op)[0].zero_point
    if channels is None \
            or not requantization.proven(channels, zero_point, (requantization.BY_8,)):
        return None
    (portable,) = fully_connected.lower(graph, op)
    return (with_tables(portable, "fully_connected_s8_armv6m", channels, channels.weights,
                        channels.bias),)
