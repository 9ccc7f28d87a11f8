"""What the tflm runtime costs on a board: measured in its firmware, where that can be built."""

from __future__ import annotations

from edgekit import memories, profiling_firmware, targets, tflm_sources
from edgekit.board import Board
from edgekit.codegen import ModelCode
from edgekit.documents import document, issue
from edgekit.macs import macs_of, model_section
from edgekit.model import Model
from edgekit.profiling_firmware import Built, Measured
from edgekit.profiling_time import time_section
from edgekit.project import tflm_array
from edgekit.runtimes import tflm


def profile_tflm(model: Model, board: Board, *, optimize: str = "balanced",
                 toolchain: str = "auto", engine: str = "auto") -> dict:
    """`edgekit.profile` of the tflm runtime.

    Without TFLite Micro's sources, a C++ compiler or an emulator only the model array is exact
    and the arena estimated; the rest is null, and an issue says what is missing.
    """
    emulated = targets.emulated(board)
    array = tflm_array(model, optimize)
    code = tflm.generate(array, model.graph, model.name, emulated, model.sha256)
    issues: list[dict] = []
    engine = targets.choose_engine(board, engine)
    lacking = tflm_sources.missing(emulated, engine, toolchain)
    built = None if lacking else profiling_firmware.build(model, code, emulated, optimize,
                                                          toolchain, issues)
    measured = profiling_firmware.measure(model, code, emulated, built, engine, issues)
    if lacking:
        issues.append(issue("not_the_firmware", "TensorFlow Lite Micro was not built for the board "
                            f"({lacking[0]}): code size, stack and instructions are not known, the "
                            "arena is estimated", lacking[1]))
    elif emulated is not board:
        issues.append(issue("emulated_as", f"{board.title}: built and run as '{emulated.title}', "
                            "for the same core", "", "info"))
    firmware = built.firmware if built else None
    return document(
        "profile", model=model_section(model.graph, model.name, model.sha256), board=board.name,
        runtime="tflm", form="cmake", optimize=optimize,
        toolchain=firmware.toolchain if firmware else None,
        engine=engine if measured.runs else None, kernels_sha256=None,
        flash=profiling_firmware.flash_section(len(array), built),
        ram=_ram(code, built, measured),
        time=time_section(measured.runs, measured.cycles, board, issues),
        ops=[{"index": op.index, "kind": op.kind,
              "output": model.graph.tensors[op.outputs[0]].name, "kernel": None, "macs": macs,
              "instructions": None, "cycles": None}
             for op, macs in zip(model.graph.ops, macs_of(model.graph), strict=True)],
        arena_plan=None, placement=memories.placed(emulated, code.map),
        firmware=profiling_firmware.firmware_section(
            firmware if emulated is board else None, board), issues=issues)


def _ram(code: ModelCode, built: Built | None, measured: Measured) -> dict:
    """`arena` is what the firmware reserves, `arena_used` what AllocateTensors took of it."""
    methods = {"arena": "exact" if built else "estimated"}
    static = peak = total = None
    if built:
        static = profiling_firmware.static_ram(code, built)
        methods["static"] = "exact"
    if measured.runs:
        # AllocateTensors, in the first inference, is deeper than the others.
        peak = max(measured.boot_stack, *(run.peak_stack for run in measured.runs))
        total = code.arena_size + static + peak
        methods |= dict.fromkeys(("arena_used", "peak_stack", "total"), "emulated")
    return {"arena": code.arena_size, "arena_used": measured.arena_used, "activations": None,
            "activations_bound": None, "scratch": None, "static": static, "peak_stack": peak,
            "total": total, "methods": methods}
