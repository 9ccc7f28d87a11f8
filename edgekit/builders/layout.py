"""The parts that projects of every form have: model/, the application, the board's files, the manifest."""

from __future__ import annotations

import json

from edgekit import memories, resources, toolchains
from edgekit.board import Board
from edgekit.codegen import ModelCode, Project, SelfTest, c_bytes, copied, render
from edgekit.errors import BadBoard, UsageError

# Port code that all boards of one toolchain share.
_SHARED = {"arm-none-eabi": ("baremetal", "cortexm"), "riscv32-unknown-elf": ("baremetal", "riscv"),
           "aarch64-none": ("baremetal", "aarch64")}
ENTRY = {"arm-none-eabi": "Reset_Handler", "riscv32-unknown-elf": "_start",
         "aarch64-none": "_start"}


def model_part(model: ModelCode) -> Project:
    """model/: the runtime's files and NAME.map.json."""
    files = dict(model.files.files)
    files.setdefault(f"{model.name}.map.json", _json(model.map))
    return Project.of(files).under("model")


def app_part(model: ModelCode, selftest: SelfTest, board: Board) -> Project:
    """app/: main.c, the link to a host, and the golden vectors."""
    names = {"name": model.name, "name_upper": model.name.upper()}
    link = link_values(model, selftest)
    return Project.of({
        "app/main.c": render("app/main.c.j2", board=board, **link, **names),
        "app/selftest.c": render("app/selftest.c.j2", inputs=link["inputs"],
                                 outputs=link["outputs"], **names),
    }).merged(copied("app", ("selftest.h", "link.h", "link.c", "mlperf.h", "mlperf.c")).under("app"))


def link_values(model: ModelCode, selftest: SelfTest) -> dict[str, object]:
    """What app/link_model.j2 names: tensors with their sizes, and whether operators can be run."""
    return {"has_ops": model.runtime == "aot", "inputs": _vectors(selftest.inputs),
            "outputs": _vectors(selftest.outputs)}


def board_part(board: Board, arena_size: int) -> Project:
    """board/: the port's files, those it shares with its core, board.h and link.ld, in which the
    arena has the memory that it fits into."""
    root = resources.folder("templates") / "port"
    if not (root / board.port / "board.c").is_file():
        raise BadBoard(f"{board.name}: there is no port '{board.port}'",
                       f"templates/port/{board.port}/board.c is missing")
    part = Project.of({"board.h": render("port/board.h.j2", board=board)})
    for folder in (*_SHARED.get(board.toolchain, ()), board.port):
        names = sorted(p.name for p in (root / folder).iterdir() if p.suffix in (".c", ".h"))
        part = part.merged(copied(f"port/{folder}", names))
    if not toolchains.is_hosted(board):
        part = part.merged(Project.of({"link.ld": _linker_script(board, arena_size)}))
    return part.under("board")


def manifest(model: ModelCode, board: Board, form: str, optimize: str) -> Project:
    """edgekit.json: what the project is, for the commands that take its folder."""
    return Project.of({"edgekit.json": _json({
        "schema": "edgekit.project", "schema_version": 1, "board": board.name,
        "runtime": model.runtime, "form": form, "optimize": optimize,
        "model": {"name": model.name, "sha256": model.model_sha256}})})


def optimize_flag(optimize: str) -> str:
    """The compiler's option for `--optimize`."""
    if optimize not in toolchains.OPTIMIZE:
        raise UsageError(f"unknown optimize '{optimize}'",
                         f"one of {', '.join(toolchains.OPTIMIZE)}")
    return toolchains.OPTIMIZE[optimize]


def languages(model: ModelCode) -> str:
    """CMake's languages for the model's sources."""
    return "C CXX" if any(source.endswith((".cc", ".cpp")) for source in model.sources) else "C"


def _linker_script(board: Board, arena_size: int) -> str:
    flash, ram = board.memories("flash"), memories.rams(board)
    if not flash or not ram:
        raise BadBoard(f"{board.name}: bare-metal firmware needs a memory of kind flash and of kind ram")
    return render("port/baremetal/link.ld.j2", board=board, flash=flash[0].name, ram=ram[0].name,
                  arena=memories.arena_memory(board, arena_size).name,
                  entry=ENTRY[board.toolchain], stack_size=memories.STACK_SIZE,
                  exidx=board.toolchain == "arm-none-eabi",
                  gp=board.toolchain == "riscv32-unknown-elf")


def _vectors(vectors: tuple[bytes, ...]) -> list[dict[str, object]]:
    return [{"size": len(vector), "bytes": c_bytes(vector)} for vector in vectors]


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
