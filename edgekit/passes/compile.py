"""The passes of the aot runtime, in order; each is checked on what it has made of a model.

A pass takes and gives a Graph whose tensors keep their numbers, so that every stored tensor is one
of the file's (of `Tensor.channels` alone where those are given); operators that are gone are in
`Graph.folded`.
"""

from __future__ import annotations

from functools import lru_cache

from edgekit.checks import changed_values, sound
from edgekit.graph import Graph
from edgekit.passes.activations import fuse_activations
from edgekit.passes.channels import drop_channels
from edgekit.passes.constants import fold_constants
from edgekit.passes.padding import fold_padding
from edgekit.passes.requantize import fold_quantize

PASSES = (fold_constants, fold_quantize, fold_padding, fuse_activations, drop_channels)


@lru_cache(maxsize=8)
def compiled(graph: Graph) -> Graph:
    """The graph that computes the same with less. AssertionError where a pass is wrong."""
    for run in PASSES:
        after = run(graph)
        if after is not graph:
            problems = changed_values(graph, sound(after, run.__name__))
            if problems:
                raise AssertionError(f"after {run.__name__}: {problems[0]}")
        graph = after
    return graph
