"""What AVERAGE_POOL_2D and MAX_POOL_2D share: options, constraints, shapes and lowering."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.fixed_point import activation_range
from edgekit.graph import Graph, Op
from edgekit.ops import overlap, window
from edgekit.ops.base import Call, fused_activation, int8_activations, slot


@dataclass(frozen=True, slots=True)
class Options:
    padding: int = slot(0, "b")
    stride_w: int = slot(1, "i")
    stride_h: int = slot(2, "i")
    filter_width: int = slot(3, "i")
    filter_height: int = slot(4, "i")
    activation: int = slot(5, "b")


def axes(graph: Graph, op: Op) -> tuple[window.Axis, window.Axis]:
    filter_shape = (op.options.filter_height, op.options.filter_width)
    return window.axes(graph.inputs_of(op)[0].shape, op.options, filter_shape)


def nearly_same_quantization(graph: Graph, op: Op) -> bool | str:
    """the input and the output must have the same zero point, and scales within 1e-6"""
    source, target = graph.inputs_of(op)[0], graph.outputs_of(op)[0]
    if source.zero_point != target.zero_point or abs(source.scale - target.scale) > 1e-6:
        return f"'{source.name}' and '{target.name}' differ"
    return True


def window_fits(graph: Graph, op: Op) -> bool | str:
    """the window must be at least 1x1 and, without padding, fit into the image; at most 4096 long
    beyond it"""
    rows, columns = axes(graph, op)
    if min(rows.filter, columns.filter, rows.output, columns.output) >= 1:
        return window.reach_in_range(rows, columns)
    return f"{rows.filter}x{columns.filter} against {rows.size}x{columns.size}"


def sum_fits(graph: Graph, op: Op) -> bool | str:
    """at most 2^23 pixels may lie under the window"""
    pixels = 1
    for axis in axes(graph, op):
        pixels *= min(axis.filter, axis.size)
    return pixels <= 1 << 23 or f"there are {pixels:,}"


CONSTRAINTS = (int8_activations, nearly_same_quantization, window.image, fused_activation,
               window.positive_strides, window_fits, sum_fits)


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], ...]:
    shape = graph.inputs_of(op)[0].shape
    rows, columns = axes(graph, op)
    return ((shape[0], rows.output, columns.output, shape[3]),)


def clamp_range(graph: Graph, op: Op) -> tuple[int, int]:
    """(activation_min, activation_max) in the output's units."""
    target = graph.outputs_of(op)[0]
    return activation_range(op.options.activation, target.scale, target.zero_point)


def lower(kernel: str, graph: Graph, op: Op) -> tuple[Call, ...]:
    low, high = clamp_range(graph, op)
    shape, taps = graph.inputs_of(op)[0].shape, axes(graph, op)
    params = (*window.image_params(shape, taps),
              ("activation_min", low), ("activation_max", high))
    return (Call(kernel, f"{kernel}_s8", params, op.inputs, op.outputs,
                 over=overlap.windowed(op.inputs[0], shape, taps, shape[3])),)
