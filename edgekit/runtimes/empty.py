"""The empty model: the same NAME.h with nothing behind it, to subtract a firmware's own size."""

from __future__ import annotations

from edgekit.codegen import ModelCode, Project, render
from edgekit.graph import Graph
from edgekit.runtimes.header import render_header

ARENA_SIZE = 16


def generate(graph: Graph, name: str, model_sha256: str) -> ModelCode:
    """NAME.h and a NAME.c whose invoke does nothing."""
    header = render_header(graph, name, "empty", model_sha256, ARENA_SIZE, has_ops=False)
    source = render("model/empty.c.j2", name=name, macro=name.upper(), arena_size=ARENA_SIZE)
    model_map = {"schema": "edgekit.map", "name": name, "model_sha256": model_sha256,
                 "arena": {"symbol": f"{name}_arena", "size": ARENA_SIZE},
                 "inputs": [], "outputs": [], "ops": [], "constants": []}
    return ModelCode(name, "empty", model_sha256, ARENA_SIZE,
                     Project.of({f"{name}.c": source, f"{name}.h": header}), (f"{name}.c",),
                     model_map)
