"""Inputs and outputs in float that are quantized inside the graph become the integers they are.

The device then gets and gives integers: no float code, a quarter of the bytes, and NAME.h's
quantize and dequantize helpers where the application has real numbers.
"""

from __future__ import annotations

from dataclasses import replace

from edgekit.graph import DType, Graph, Op
from edgekit.passes.live import live


def float_inputs(graph: Graph) -> dict[int, Op]:
    """Float input -> the QUANTIZE that is its only reader."""
    found = {}
    for i in graph.inputs:
        readers = [op for op in graph.ops if i in op.inputs]
        if graph.tensors[i].dtype is DType.FLOAT32 and len(readers) == 1 and \
                readers[0].kind == "QUANTIZE" and readers[0].outputs[0] not in graph.outputs:
            found[i] = readers[0]
    return found


def float_outputs(graph: Graph) -> dict[int, Op]:
    """Float output -> the DEQUANTIZE that writes it and that nobody else reads."""
    found: dict[int, Op] = {}
    for op in graph.ops:
        if op.kind == "DEQUANTIZE" and op.outputs[0] in graph.outputs:
            source = op.inputs[0]
            is_port = source in (*graph.inputs, *graph.outputs)
            shared = any(other.inputs[0] == source for other in found.values())
            is_read = any(op.outputs[0] in other.inputs for other in graph.ops)
            if not (is_port or shared or is_read or graph.tensors[source].is_constant):
                found[op.outputs[0]] = op
    return found


def integer_edges(graph: Graph) -> Graph:
    """The graph with int8 (or as it was quantized) instead of float inputs and outputs.

    The tensors at the edges keep the names of the float ones, by which data finds them.
    """
    inputs, outputs = float_inputs(graph), float_outputs(graph)
    if not inputs and not outputs:
        return graph
    tensors = list(graph.tensors)
    for port, place in [*((i, op.outputs[0]) for i, op in inputs.items()),
                        *((i, op.inputs[0]) for i, op in outputs.items())]:
        tensors[place] = replace(tensors[place], name=graph.tensors[port].name)
    gone = [*inputs.values(), *outputs.values()]
    return live(replace(
        graph, tensors=tuple(tensors), ops=tuple(op for op in graph.ops if op not in gone),
        inputs=tuple(inputs[i].outputs[0] if i in inputs else i for i in graph.inputs),
        outputs=tuple(outputs[i].inputs[0] if i in outputs else i for i in graph.outputs)))
