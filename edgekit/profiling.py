"""What firmware costs on a board: flash, RAM, instructions; every number says how it was got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit import memories, profiling_firmware, targets
from edgekit.board import Board
from edgekit.codegen import ModelCode
from edgekit.documents import document, issue
from edgekit.emulators.cycles.measure import Cycles
from edgekit.graph import Graph
from edgekit.link import Inference
from edgekit.macs import executed_macs, macs_of, model_section
from edgekit.memory import MemoryPlan
from edgekit.model import Model, compile_plan
from edgekit.profiling_firmware import Built
from edgekit.profiling_time import op_cycles, time_section


def profile_aot(model: Model, board: Board, *, optimize: str = "balanced",
                toolchain: str = "auto", engine: str = "auto") -> dict:
    """`edgekit.profile` of the aot runtime.

    Without a compiler or the emulator's packages the numbers they would give are null, each
    with an issue; arena and weights are exact without them.
    """
    emulated = targets.emulated(board)
    graph, _, plan = compile_plan(model, emulated.cpu.kernels, optimize)
    code = targets.aot_code(model, emulated, optimize)
    issues: list[dict] = []
    if emulated is not board:
        issues.append(issue("emulated_as", f"{board.title}: the same model code was built and run "
                            f"as '{emulated.title}', for the same core", "", "info"))
    built = profiling_firmware.build(model, code, emulated, optimize, toolchain, issues)
    engine = targets.choose_engine(board, engine)
    measured = profiling_firmware.measure(model, code, emulated, built, engine, issues)
    runs, cycles = measured.runs, measured.cycles
    firmware = built.firmware if built else None
    weights = sum(entry["bytes"] for entry in code.map["constants"] if entry["is_weights"])
    return document(
        "profile", board=board.name,
        model=model_section(model.graph, model.name, model.sha256) | {
            "macs_live": executed_macs(graph, emulated.cpu.kernels)},
        runtime="aot", form="cmake", optimize=optimize,
        toolchain=firmware.toolchain if firmware else None, engine=engine if runs else None,
        kernels_sha256=code.kernels_sha256,
        flash=profiling_firmware.flash_section(weights, built), ram=_ram(plan, code, built, runs),
        time=time_section(runs, cycles, board, issues),
        ops=_ops(model, code, runs, cycles), arena_plan=_arena_plan(graph, plan),
        placement=memories.placed(emulated, code.map),
        firmware=profiling_firmware.firmware_section(firmware if emulated is board else None, board),
        issues=issues)


def _ram(plan: MemoryPlan, code: ModelCode, built: Built | None,
         runs: Sequence[Inference]) -> dict:
    activations = max((p.offset + p.size for p in plan.placements if p.tensor >= 0), default=0)
    scratch = max((p.size for p in plan.placements if p.tensor < 0), default=0)
    methods = dict.fromkeys(("arena", "arena_used", "activations",
                             "activations_bound", "scratch"), "exact")
    static = peak = total = None
    if built is not None:
        static = profiling_firmware.static_ram(code, built)
        methods["static"] = "exact"
    if runs:
        peak = max(run.peak_stack for run in runs)
        total = code.arena_size + static + peak
        methods |= {"peak_stack": "emulated", "total": "emulated"}
    return {"arena": code.arena_size, "arena_used": code.arena_size, "activations": activations,
            "activations_bound": plan.bound, "scratch": scratch, "static": static,
            "peak_stack": peak, "total": total, "methods": methods}


def _ops(model: Model, code: ModelCode, runs: Sequence[Inference],
         cycles: Cycles | None) -> list[dict]:
    largest = max(runs, key=lambda run: run.instructions, default=None)
    rows = []
    for i, (op, entry, macs) in enumerate(zip(model.graph.ops, code.map["ops"],
                                              macs_of(model.graph), strict=True)):
        folded = entry["symbol"] is None
        counted = largest.op_instructions[i] if largest else None
        rows.append({"index": op.index, "kind": op.kind,
                     "output": model.graph.tensors[op.outputs[0]].name, "kernel": entry["kernel"],
                     "macs": macs, "instructions": 0 if folded and largest else counted,
                     "cycles": op_cycles(cycles, i)})
    return rows


def _arena_plan(graph: Graph, plan: MemoryPlan) -> list[dict]:
    """What lies where in the arena from operator `first` of the file to `last`: inputs begin at
    -1, outputs end at the number of operators, scratch of operator i is tensor -1 - i."""
    index = {-1: -1, len(graph.ops): len(graph.file_ops)} | {
        position: op.index for position, op in enumerate(graph.ops)}
    return [{"tensor": p.tensor if p.tensor >= 0 else -1 - index[-1 - p.tensor],
             "name": graph.tensors[p.tensor].name if p.tensor >= 0 else
             f"scratch of operator {index[-1 - p.tensor]}", "offset": p.offset, "bytes": p.size,
             "first": index[p.first], "last": index[p.last]} for p in plan.placements]


def over_budget(result: Mapping, *, max_ram: int | None = None, max_flash: int | None = None,
                max_latency_s: float | None = None) -> list[str]:
    """What a profile spends beyond its budgets, one sentence each; unknown is over."""
    latency = result["time"]["latency_s"]
    wanted = (("RAM", result["ram"]["total"], max_ram, "bytes"),
              ("flash", result["flash"]["total"], max_flash, "bytes"),
              ("latency", latency[1] if latency else None, max_latency_s, "s"))
    return [f"{what} is not known, the budget is {limit:,} {unit}" if value is None else
            f"{what} is {value:,} {unit}, the budget is {limit:,}"
            for what, value, limit, unit in wanted
            if limit is not None and (value is None or value > limit)]
