"""What firmware costs on a board: flash, RAM, instructions; every number says how it was got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgekit import samples, targets, toolchains, workspace
from edgekit.board import Board
from edgekit.builders import cmake
from edgekit.codegen import ModelCode
from edgekit.documents import document, issue
from edgekit.elf import read_sections
from edgekit.emulators.cycles.measure import Cycles
from edgekit.errors import NotThere
from edgekit.firmware import Firmware, regions
from edgekit.graph import Graph
from edgekit.link import Inference
from edgekit.macs import macs_of, model_section
from edgekit.memory import MemoryPlan
from edgekit.model import Model, compile_plan
from edgekit.profiling_time import op_cycles, time_section
from edgekit.runtimes import empty

MEASURED_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of an ELF by kind: `code` is executable, `read_only` all other flash, `ram` .data and
    .bss and the like, without the stack's section."""

    code: int
    read_only: int
    ram: int

    def __sub__(self, other: Footprint) -> Footprint:
        return Footprint(self.code - other.code, self.read_only - other.read_only,
                         self.ram - other.ram)


def footprint(firmware: Firmware) -> Footprint:
    """What the sections of an ELF take."""
    code = read_only = ram = 0
    for section in read_sections(firmware.elf):
        if section.writable:
            if section.name != ".stack":
                ram += section.size
            if section.in_file:
                read_only += section.size  # its first values lie in flash
        elif section.executable:
            code += section.size
        else:
            read_only += section.size
    return Footprint(code, read_only, ram)


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
    built = _build(model, code, emulated, optimize, toolchain, issues)
    engine = targets.choose_engine(board, engine)
    runs, cycles = _measure(model, code, emulated, built, engine, issues)
    firmware = built[0] if built else None
    return document(
        "profile", model=model_section(model.graph, model.name, model.sha256), board=board.name,
        runtime="aot", form="cmake", optimize=optimize,
        toolchain=firmware.toolchain if firmware else None, engine=engine if runs else None,
        kernels_sha256=code.kernels_sha256,
        flash=_flash(code, built), ram=_ram(plan, code, built, runs),
        time=time_section(runs, cycles, board, issues),
        ops=_ops(model, code, runs, cycles), arena_plan=_arena_plan(graph, plan),
        firmware=_firmware(firmware if emulated is board else None, board), issues=issues)


def _build(model: Model, code: ModelCode, board: Board, optimize: str, toolchain: str,
           issues: list[dict]) -> tuple[Firmware, Firmware] | None:
    """The firmware and the same with an empty model, or None where nothing compiles here."""
    if "native" in board.emulators and not board.memory:
        issues.append(issue("hosted", f"{board.title} runs an operating system of its own: flash "
                            "and RAM are not compared with a firmware"))
        return None
    if "cmake" not in board.forms:
        issues.append(issue("not_built", f"{board.title} has no form cmake, the compiler for its "
                            "core comes with ESP-IDF only: code size, stack and instructions are "
                            "not known", "idf.py size, in a project of form esp-idf"))
        return None
    selftest = targets.selftest(model)
    base = empty.generate(model.graph, model.name, model.sha256)
    try:
        return tuple(workspace.built(cmake.project(part, selftest, board, optimize=optimize),
                                     board, toolchain, optimize) for part in (code, base))
    except NotThere as error:
        if toolchain != "auto":
            raise
        issues.append(issue("not_built", f"{error.message}: code size, stack and instructions are "
                            "not known", error.hint))
        return None


def _measure(model: Model, code: ModelCode, board: Board, built, engine: str,
             issues: list[dict]) -> tuple[list[Inference], Cycles | None]:
    """Counted inferences of seeded random samples on the emulated board; cycles of the longest."""
    if built is None or engine not in targets.FIRMWARE_ENGINES:
        if built is not None:
            issues.append(issue("not_emulated", f"the engine is {engine}: stack and instructions "
                                "are not known", "pip install 'edgekit[emulator]'"))
        return [], None
    taken = [tuple(value.tobytes() for value in sample)
             for sample in samples.random_samples(model.graph, MEASURED_SAMPLES)]
    runs = []
    with targets.open_firmware(engine, built[0], board, code.map) as machine:
        for sample in taken:
            machine.load(sample)
            runs.append(machine.infer(count=True))
        counts = [run.instructions for run in runs]
        machine.load(taken[counts.index(max(counts))])
        cycles = machine.cycles()
    spread = (max(counts) - min(counts)) / max(counts)
    if spread > 0.01:
        issues.append(issue("instructions_spread", f"instructions differ by {spread:.1%} between "
                            "samples; the largest count is given"))
    return runs, cycles


def _flash(code: ModelCode, built) -> dict:
    weights = sum(entry["bytes"] for entry in code.map["constants"] if entry["is_weights"])
    if built is None:
        return {"code": None, "weights": weights, "tables": None, "total": None,
                "methods": {"weights": "exact"}}
    used = footprint(built[0]) - footprint(built[1])
    return {"code": used.code, "weights": weights, "tables": used.read_only - weights,
            "total": used.code + used.read_only,
            "methods": dict.fromkeys(("code", "weights", "tables", "total"), "exact")}


def _ram(plan: MemoryPlan, code: ModelCode, built, runs: Sequence[Inference]) -> dict:
    activations = max((p.offset + p.size for p in plan.placements if p.tensor >= 0), default=0)
    scratch = max((p.size for p in plan.placements if p.tensor < 0), default=0)
    methods = dict.fromkeys(("arena", "activations", "activations_bound", "scratch"), "exact")
    static = peak = total = None
    if built is not None:
        arenas = code.arena_size - empty.ARENA_SIZE
        static = (footprint(built[0]) - footprint(built[1])).ram - arenas
        methods["static"] = "exact"
    if runs:
        peak = max(run.peak_stack for run in runs)
        total = code.arena_size + static + peak
        methods |= {"peak_stack": "emulated", "total": "emulated"}
    return {"arena": code.arena_size, "activations": activations,
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
    """What lies where in the arena from operator position `first` to `last`, as in `Placement`:
    inputs begin at -1, outputs end at the number of operators, scratch of p is tensor -1 - p."""
    return [{"tensor": p.tensor, "name": graph.tensors[p.tensor].name if p.tensor >= 0 else
             f"scratch of operator {-1 - p.tensor}", "offset": p.offset, "bytes": p.size,
             "first": p.first, "last": p.last} for p in plan.placements]


def _firmware(firmware: Firmware | None, board: Board) -> dict:
    found = regions(firmware.elf, board) if firmware else ()
    kinds = {memory.name: memory.kind for memory in board.memory}

    def used(kind: str) -> int | None:
        return sum(u for name, u, _ in found if kinds[name] == kind) if found else None

    return {"flash_used": used("flash"), "flash_size": board.flash_size or None,
            "ram_used": used("ram"), "ram_size": board.ram_size or None,
            "regions": [{"name": name, "used": u, "size": size} for name, u, size in found]}


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
