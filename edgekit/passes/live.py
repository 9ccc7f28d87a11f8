"""Drop operators and tensors that nothing reads; the graph's inputs and outputs stay."""

from __future__ import annotations

from dataclasses import replace

from edgekit.graph import Graph
from edgekit.ops.schema import WITHOUT_OUTPUT


def live(graph: Graph) -> Graph:
    """The graph without operators whose results are unread, and its tensors without gaps.

    Operators that write no tensor but state stay. Operators keep their `index`.
    """
    wanted, kept = set(graph.outputs), []
    for op in reversed(graph.ops):
        if op.kind in WITHOUT_OUTPUT or wanted.intersection(op.outputs):
            kept.append(op)
            wanted.update(i for i in op.inputs if i >= 0)
    kept.reverse()
    used = sorted({*wanted, *graph.inputs, *(i for op in kept for i in op.outputs)})
    place = {-1: -1} | {old: new for new, old in enumerate(used)}

    def moved(indices: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(place[i] for i in indices)

    return replace(graph, tensors=tuple(graph.tensors[i] for i in used),
                   ops=tuple(replace(op, inputs=moved(op.inputs), outputs=moved(op.outputs))
                             for op in kept),
                   inputs=moved(graph.inputs), outputs=moved(graph.outputs))
