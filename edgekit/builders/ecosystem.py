"""What the forms of other ecosystems share: the application's values, and a build by their tool."""

from __future__ import annotations

from pathlib import Path

from edgekit import tools
from edgekit.board import Board
from edgekit.builders import layout, linker
from edgekit.codegen import ModelCode, Project, SelfTest
from edgekit.errors import BuildFailed, EdgekitError, UsageError
from edgekit.firmware import Firmware, read_sizes


def values(model: ModelCode, board: Board, form: str, optimize: str) -> dict[str, object]:
    """What the templates of every form may name."""
    return {"name": model.name, "name_upper": model.name.upper(), "board": board,
            "runtime": model.runtime, "board_name": board.name_in(form),
            "optimize_flag": layout.optimize_flag(optimize), "sources": model.sources}


def selftest_part(model: ModelCode, selftest: SelfTest, board: Board, folder: str) -> Project:
    """selftest.c and selftest.h below `folder`; "" is the project's own."""
    app = layout.app_part(model, selftest, board)
    prefix = f"{folder}/" if folder else ""
    return Project.of({f"{prefix}{name}": app[f"app/{name}"] for name in ("selftest.c", "selftest.h")})


def model_sources(model: ModelCode, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The model's files that a compiler reads, relative to their folder."""
    skipped = {"model.cmake", f"{model.name}.map.json", *without}
    return {path: data for path, data in model.files.files if path not in skipped}


def map_part(model: ModelCode) -> Project:
    """model/NAME.map.json, where every form has it."""
    return Project.of({path: data for path, data in layout.model_part(model).files
                       if path.endswith(".map.json")})


def run(command: list[str], directory: Path, board: Board) -> None:
    """Run an ecosystem's own command; BuildFailed with its last errors, DoesNotFit with region
    and bytes."""
    program = Path(command[0]).name
    done = tools.run(command, timeout_s=1800)
    if done.returncode != 0:
        output = (done.stdout + done.stderr).decode(errors="replace")
        raise linker.overflow(output, board) or BuildFailed(
            f"{program} could not build {directory.name}: {linker.last_errors(output)}",
            f"the whole output: {program} {' '.join(command[1:])}")


def firmware(folder: Path, toolchain: str, image: str) -> Firmware:
    """The one ELF file in a build folder, with the image of that suffix beside it."""
    found = sorted(folder.glob("*.elf"))
    if len(found) != 1:
        raise EdgekitError(f"{folder} holds {len(found)} .elf files, one was expected",
                           "remove the build folder and build again")
    beside = found[0].with_suffix(image)
    return Firmware(found[0], toolchain, *read_sizes(found[0]),
                    image=beside if beside.is_file() else None)


def refuse_zig(toolchain: str, what: str) -> None:
    """UsageError where zig is asked of an ecosystem that brings its own compiler."""
    if toolchain == "zig":
        raise UsageError(f"{what} builds with its own compiler, not with zig",
                         "leave --toolchain out, or generate --form cmake")
