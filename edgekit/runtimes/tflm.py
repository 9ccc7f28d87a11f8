"""The tflm runtime: the model as a C array, and the glue that runs it in TFLite Micro."""

from __future__ import annotations

import hashlib
import json

from edgekit import tflite
from edgekit.board import Board
from edgekit.codegen import ModelCode, Project, c_bytes, copied, render
from edgekit.graph import Graph
from edgekit.runtimes.header import checked_name, render_header
from edgekit.runtimes.tflm_arena import KERNELS, ArenaNeed, arena_need
from edgekit.runtimes.tflm_ops import kernel_files, registrations

# TFLite Micro, and what it is built from. The MD5 sums are those of TFLite Micro's own download
# scripts (tensorflow/lite/micro/tools/make/*.sh, *.inc, ext_libs/); git commits need none.
COMMIT = "90b983c2b3f1480642e040bbd2ddb37b998f3424"
FLATBUFFERS = "25.9.23"


def generate(model_bytes: bytes, graph: Graph, name: str, board: Board | None,
             model_sha256: str | None = None) -> ModelCode:
    """NAME.h, NAME.cc, NAME_model.h, NAME_model.cc, model.cmake and NAME.map.json.

    `graph` is what `model_bytes` compute; `model_sha256` is that of the model they were made
    from, where they were made smaller for this; `board` chooses the kernel library (the portable
    reference kernels for None). BadModel where TFLite Micro lacks an operator, or refuses the
    model, or the model has no name in C (UsageError).
    """
    checked_name(name)
    model_sha256 = model_sha256 or hashlib.sha256(model_bytes).hexdigest()
    stored = tflite.read(model_bytes, name)  # with the operators that decode weights
    need = arena_need(model_bytes, stored, board)
    values = {"name": name, "macro": name.upper(), "model_sha256": model_sha256, "need": need,
              "board": board.name if board else "any"}
    model_map = _map(graph, name, model_sha256, need)
    files = Project.of({
        f"{name}.h": render_header(graph, name, "tflm", model_sha256, need.size, has_ops=False),
        f"{name}.cc": _render_glue(stored, values),
        f"{name}_model.h": render("tflm/model_array.h.j2", **values),
        f"{name}_model.cc": render("tflm/model_array.cc.j2", size=len(model_bytes),
                                   body=c_bytes(model_bytes), **values),
        f"{name}.map.json": json.dumps(model_map, indent=1) + "\n",
        "model.cmake": render("tflm/model.cmake.j2", kernels=_kernels(stored), libraries=KERNELS,
                              commit=COMMIT, flatbuffers=FLATBUFFERS, **values),
    }).merged(copied("tflm", ("edgekit_tflm_log.cc", "edgekit_tflm_bare.cc")))
    return ModelCode(name, "tflm", model_sha256, need.size, files,
                     (f"{name}.cc", f"{name}_model.cc"), model_map)


def _render_glue(graph: Graph, values: dict) -> str:
    entries = registrations(graph)
    name, macro = values["name"], values["macro"]
    return render("tflm/model.cc.j2", registrations=entries,
                  headers=sorted({e.header for e in entries if e.header}),
                  variables=sum(op.kind == "VAR_HANDLE" for op in graph.ops),
                  sides=[("input", "", _ports(name, macro, "input", len(graph.inputs))),
                         ("output", "const ", _ports(name, macro, "output", len(graph.outputs)))],
                  **values)


def _ports(name: str, macro: str, side: str, count: int) -> list[dict]:
    """As in NAME.h: the first without a number; with several, each with its own besides."""
    numbers = [("", 0), *((f"_{i}", i) for i in range(count) if count > 1)]
    return [{"macro": f"{macro}_{side.upper()}{number}", "function": f"{name}_{side}{number}",
             "index": index} for number, index in numbers]


def _kernels(graph: Graph) -> list[str]:
    """Kernel sources relative to a TFLite Micro tree, without .cc."""
    return [f"signal/micro/kernels/{file.removeprefix('signal/')}" if file.startswith("signal/")
            else file for file in kernel_files(graph)]


def _map(graph: Graph, name: str, model_sha256: str, need: ArenaNeed) -> dict:
    """NAME.map.json: TFLite Micro places tensors when it starts, so there are no offsets."""
    def entry(tensor: int) -> dict:
        t = graph.tensors[tensor]
        return {"tensor": tensor, "name": t.name, "offset": None, "bytes": t.nbytes}

    return {
        "schema": "edgekit.map", "name": name, "model_sha256": model_sha256,
        "arena": {"symbol": f"{name}_arena", "size": need.size, "method": "estimated",
                  "interpreter": {"bytes": need.interpreter, "method": need.method},
                  "kernels": {"library": need.library, "bytes": need.kernels,
                              "method": "estimated"}},
        "inputs": [entry(i) for i in graph.inputs],
        "outputs": [entry(i) for i in graph.outputs],
        "ops": [{"index": op.index, "kind": op.kind, "symbol": None, "kernel": None,
                 "outputs": [entry(i) for i in op.outputs]} for op in graph.ops],
    }
