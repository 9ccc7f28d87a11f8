"""The form `arduino`: an Arduino library (format 1.5) with an example sketch; aot only."""

from __future__ import annotations

from pathlib import Path

from edgekit import log, tools
from edgekit.board import Board
from edgekit.builders import ecosystem, forms, layout
from edgekit.codegen import ModelCode, Project, SelfTest, render
from edgekit.firmware import Firmware

_FILES = ("library.properties", "README.md")


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """src/ with the model, examples/NAME/NAME.ino with the self-test, library.properties."""
    forms.require_possible(board, "arduino", model.runtime)
    values = ecosystem.values(model, board, "arduino", optimize)
    sketch = f"examples/{model.name}"
    files = {name: render(f"project/arduino/{name}.j2", **values) for name in _FILES}
    files[f"{sketch}/{model.name}.ino"] = render("project/arduino/sketch.j2", **values)
    return (Project.of(files).merged(optimized_sources(model, values["optimize_flag"]).under("src"))
            .merged(ecosystem.map_part(model))
            .merged(ecosystem.selftest_part(model, selftest, board, sketch))
            .merged(layout.manifest(model, board, "arduino", optimize)))


def optimized_sources(model: ModelCode, flag: str) -> Project:
    """The model's sources, each with its optimisation: Arduino's cores compile with -Os alone.

    Behind the first line, which names the licence.
    """
    pragma = ("#if defined(__GNUC__) && !defined(__clang__)\n"
              f'#pragma GCC optimize("{flag.removeprefix("-")}", "fp-contract=off")\n#endif\n')

    def with_pragma(data: bytes) -> bytes:
        end = data.index(b"*/") + 2
        return data[:end] + b"\n" + pragma.encode() + data[end:].lstrip(b"\n")

    return Project.of({path: with_pragma(data) if path.endswith(".c") else data
                       for path, data in ecosystem.model_sources(model).items()})


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None) -> Firmware:
    """Compile the example with arduino-cli; NotThere (exit 6) where it is not on PATH."""
    ecosystem.refuse_zig(toolchain, "Arduino")
    layout.optimize_flag(optimize)  # it is in the sources
    cli = tools.require("arduino-cli", "install arduino-cli and the board's core, or open the "
                        "example in the Arduino IDE")
    target = build_directory or directory / "build"
    (sketch,) = (directory / "examples").iterdir()
    log.note(f"compiling for {board.title} with arduino-cli")
    ecosystem.run([cli, "compile", "--fqbn", str(board.name_in("arduino")), "--library",
                   str(directory), "--output-dir", str(target), str(sketch)], directory, board)
    return ecosystem.firmware(target, "arduino-cli", ".bin")
