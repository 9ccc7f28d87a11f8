"""Arena bytes that Espressif's ESP-NN kernels need beyond the reference kernels'.

Source: ESP-NN 1.1, `esp_nn_generic_opt.h`, the kernels of the RISC-V parts: of the operators
TFLite Micro hands over, only softmax asks for scratch.
"""

from __future__ import annotations

from edgekit.graph import Graph


def buffers(graph: Graph) -> tuple[list[int], list[int]]:
    """(scratch of each operator, persistent buffers), in bytes."""
    return ([4 * graph.outputs_of(op)[0].shape[-1] if op.kind == "SOFTMAX" else 0
             for op in graph.ops], [])
