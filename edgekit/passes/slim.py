"""Drop what a device never reads: names of inner tensors, and quantization of biases."""

from __future__ import annotations

from dataclasses import replace

from edgekit.graph import Graph

# TFLite Micro checks a FULLY_CONNECTED's bias scale against its other scales (kernel_util.cc,
# GetQuantizedConvolutionMultipler), so that one stays.
_UNREAD_BIAS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def slim(graph: Graph) -> Graph:
    """The same arithmetic in fewer bytes; the names of inputs and outputs stay."""
    ports = {*graph.inputs, *graph.outputs}
    biases = {op.inputs[2] for op in graph.ops
              if op.kind in _UNREAD_BIAS and len(op.inputs) > 2 and op.inputs[2] >= 0}
    biases -= {i for op in graph.ops if op.kind not in _UNREAD_BIAS for i in op.inputs}
    tensors = tuple(replace(tensor, name=tensor.name if i in ports else "",
                            quant=None if i in biases else tensor.quant)
                    for i, tensor in enumerate(graph.tensors))
    return replace(graph, tensors=tensors)
