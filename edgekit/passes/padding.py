"""PAD in front of a convolution becomes its SAME padding, where that pads by as much."""

from __future__ import annotations

from dataclasses import replace

from edgekit.graph import Graph, Op
from edgekit.ops import conv_2d
from edgekit.ops.window import SAME, VALID
from edgekit.passes.rewriting import is_inner, readers, without


def fold_padding(graph: Graph) -> Graph:
    """The graph whose convolutions pad for themselves."""
    for op in graph.ops:
        if op.kind != "PAD" or not is_inner(graph, op.outputs[0]):
            continue
        (reader,) = readers(graph, op.outputs[0])
        changed = _padding_itself(graph, op, reader)
        if changed is not None:
            graph = without(graph, op, {reader: changed})
    return graph


def _padding_itself(graph: Graph, pad: Op, reader: Op) -> Op | None:
    """The convolution on the unpadded image; None where SAME would see other pixels."""
    if reader.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D") or reader.options.padding != VALID \
            or reader.inputs[0] != pad.outputs[0] or len(graph.inputs_of(pad)[0].shape) != 4:
        return None
    changed = replace(reader, inputs=(pad.inputs[0], *reader.inputs[1:]),
                      options=replace(reader.options, padding=SAME))
    rows, columns = conv_2d.axes(graph, changed)
    wanted = ((0, 0), (rows.pad, rows.pad_after), (columns.pad, columns.pad_after), (0, 0))
    given = tuple(map(tuple, graph.inputs_of(pad)[1].array.tolist()))
    # What VALID leaves out at the end is in the PAD alone: the outputs tell.
    sizes = graph.outputs_of(reader)[0].shape[1:3]
    return changed if given == wanted and sizes == (rows.output, columns.output) else None
