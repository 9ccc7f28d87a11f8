"""What the tflm runtime costs, as far as it can be known without building TFLite Micro."""

from __future__ import annotations

from edgekit.board import Board
from edgekit.documents import document, issue
from edgekit.macs import macs_of, model_section
from edgekit.model import Model
from edgekit.project import tflm_array
from edgekit.runtimes import tflm


def profile_tflm(model: Model, board: Board, *, optimize: str = "balanced") -> dict:
    """`edgekit.profile` of the tflm runtime: arena and model array; the rest is null."""
    array = tflm_array(model, optimize)
    code = tflm.generate(array, model.graph, model.name, board, model.sha256)
    unknown = issue("not_the_firmware", "TensorFlow Lite Micro was not built for the board: code "
                    "size, stack and instructions are not known, the arena is estimated")
    flash = {"code": None, "weights": len(array), "tables": None, "total": None,
             "methods": {"weights": "exact"}}
    ram = {"arena": code.arena_size, "activations": None, "activations_bound": None,
           "scratch": None, "static": None, "peak_stack": None, "total": None,
           "methods": {"arena": "estimated"}}
    return document(
        "profile", model=model_section(model.graph, model.name, model.sha256), board=board.name,
        runtime="tflm", form="cmake", optimize=optimize, toolchain=None, engine=None,
        kernels_sha256=None, flash=flash,
        ram=ram, time={"instructions": None, "cycles": None, "latency_s": None, "energy_j": None,
                       "methods": {}},
        ops=[{"index": op.index, "kind": op.kind,
              "output": model.graph.tensors[op.outputs[0]].name, "kernel": None, "macs": macs,
              "instructions": None, "cycles": None}
             for op, macs in zip(model.graph.ops, macs_of(model.graph), strict=True)],
        arena_plan=None,
        firmware={"flash_used": None, "flash_size": board.flash_size or None, "ram_used": None,
                  "ram_size": board.ram_size or None, "regions": []}, issues=[unknown])
