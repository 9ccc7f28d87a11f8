"""Firmware of a profile: built beside one with an empty model, measured in an emulator."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit import samples, targets, workspace
from edgekit.board import Board
from edgekit.builders import cmake
from edgekit.codegen import ModelCode
from edgekit.documents import issue
from edgekit.elf import read_sections
from edgekit.emulators.cycles.measure import Cycles
from edgekit.errors import NotThere
from edgekit.firmware import Firmware, regions
from edgekit.link import Inference
from edgekit.model import Model
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


@dataclass(frozen=True, slots=True)
class Built:
    """Firmware with the model, and the same board's with an empty one, same flags."""

    firmware: Firmware
    empty: Firmware

    @property
    def difference(self) -> Footprint:
        """What is the model's and its runtime's; both arenas are in `ram`."""
        return footprint(self.firmware) - footprint(self.empty)


@dataclass(frozen=True, slots=True)
class Measured:
    """Counted inferences, cycles of the longest, and what the emulator saw up to the first one:
    bytes of stack, and those that the firmware says it took of its arena (None: all)."""

    runs: tuple[Inference, ...] = ()
    cycles: Cycles | None = None
    boot_stack: int = 0
    arena_used: int | None = None


def build(model: Model, code: ModelCode, board: Board, optimize: str, toolchain: str,
          issues: list[dict]) -> Built | None:
    """Firmware of form cmake, or None where nothing compiles here, with an issue that says why."""
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
        return Built(*(workspace.built(cmake.project(part, selftest, board, optimize=optimize),
                                       board, toolchain, optimize) for part in (code, base)))
    except NotThere as error:
        if toolchain != "auto":
            raise
        issues.append(issue("not_built", f"{error.message}: code size, stack and instructions are "
                            "not known", error.hint))
        return None


def measure(model: Model, code: ModelCode, board: Board, built: Built | None, engine: str,
            issues: list[dict]) -> Measured:
    """Counted inferences of seeded random samples on the emulated board."""
    if built is None or engine not in targets.FIRMWARE_ENGINES:
        if built is not None:
            issues.append(issue("not_emulated", f"the engine is {engine}: stack and instructions "
                                "are not known", "pip install 'edgekit[emulator]'"))
        return Measured()
    taken = [tuple(value.tobytes() for value in sample)
             for sample in samples.random_samples(model.graph, MEASURED_SAMPLES)]
    runs = []
    with targets.open_firmware(engine, built.firmware, board, code.map) as machine:
        used = machine.word(f"{model.name}_arena_used") if code.runtime == "tflm" else None
        for sample in taken:
            machine.load(sample)
            runs.append(machine.infer(count=True))
        counts = [run.instructions for run in runs]
        machine.load(taken[counts.index(max(counts))])
        measured = Measured(tuple(runs), machine.cycles(), machine.boot_stack, used)
    spread = (max(counts) - min(counts)) / max(counts)
    if spread > 0.01:
        issues.append(issue("instructions_spread", f"instructions differ by {spread:.1%} between "
                            "samples; the largest count is given"))
    return measured


def flash_section(weights: int, built: Built | None) -> dict:
    """`flash` of a profile; `weights` are the bytes that encode the model."""
    if built is None:
        return {"code": None, "weights": weights, "tables": None, "total": None,
                "methods": {"weights": "exact"}}
    used = built.difference
    return {"code": used.code, "weights": weights, "tables": used.read_only - weights,
            "total": used.code + used.read_only,
            "methods": dict.fromkeys(("code", "weights", "tables", "total"), "exact")}


def static_ram(code: ModelCode, built: Built) -> int:
    """Bytes of RAM that are the model's and its runtime's, the arena not among them."""
    return built.difference.ram - (code.arena_size - empty.ARENA_SIZE)


def firmware_section(firmware: Firmware | None, board: Board) -> dict:
    """`firmware` of a profile: how full the board's memories are, application included."""
    found = regions(firmware.elf, board) if firmware else ()
    kinds = {memory.name: memory.kind for memory in board.memory}

    def used(kind: str) -> int | None:
        return sum(u for name, u, _ in found if kinds[name] == kind) if found else None

    return {"flash_used": used("flash"), "flash_size": board.flash_size or None,
            "ram_used": used("ram"), "ram_size": board.ram_size or None,
            "regions": [{"name": name, "used": u, "size": size} for name, u, size in found]}
