"""The form `esp-idf`: a project of Espressif's framework, for its chips (ESP-IDF 5.1 or later)."""

from __future__ import annotations

from pathlib import Path

from edgekit import log, tools
from edgekit.board import Board
from edgekit.builders import layout, linker
from edgekit.codegen import ModelCode, Project, SelfTest, render
from edgekit.errors import BadBoard, BuildFailed, EdgekitError, UsageError
from edgekit.firmware import Firmware, read_sizes

# Bytes. ESP-IDF's default of 3584 is too small for TFLite Micro's AllocateTensors.
MAIN_STACK_SIZE = 8192
# The component of TFLite Micro in Espressif's registry.
TFLM_COMPONENT, TFLM_VERSION = "espressif/esp-tflite-micro", "^1.3.5"

_PARTS = ("CMakeLists.txt", "README.md", "sdkconfig.defaults", "main/CMakeLists.txt", "main/board.h",
          "main/board.c",
          "components/edgekit_model/CMakeLists.txt")


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """main/ with app_main() and the self-test, components/edgekit_model/ with the model.

    BadBoard for a board that is not one of Espressif's chips.
    """
    values = {"name": model.name, "name_upper": model.name.upper(), "board": board,
              "target": _target(board), "runtime": model.runtime, "stack_size": MAIN_STACK_SIZE,
              "flash_mib": board.flash_size // 2**20, "clock_mhz": board.cpu.clock_hz // 10**6,
              "sources": model.sources, "optimize_flag": layout.optimize_flag(optimize),
              "small": optimize == "size", "component": TFLM_COMPONENT, "version": TFLM_VERSION}
    files = {name: render(f"project/esp_idf/{name}.j2", **values) for name in _PARTS}
    files["main/main.c"] = render("project/esp_idf/main/main.c.j2", **values,
                                  **layout.link_values(model, selftest))
    if model.runtime == "tflm":
        files["components/edgekit_model/idf_component.yml"] = render(
            "project/esp_idf/components/edgekit_model/idf_component.yml.j2", **values)
    app = layout.app_part(model, selftest, board)
    for name in ("selftest.c", "selftest.h", "link.c", "link.h"):
        files[f"main/{name}"] = app[f"app/{name}"]
    return (Project.of(files).merged(_model_part(model))
            .merged(layout.manifest(model, board, "esp-idf", optimize)))


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None) -> Firmware:
    """Build with idf.py; NotThere (exit 6) where ESP-IDF's environment is not active."""
    if toolchain == "zig":
        raise UsageError("ESP-IDF builds with its own compiler, not with zig",
                         "leave --toolchain out, or generate --form cmake")
    idf = tools.require("idf.py", "install ESP-IDF 5.1 or later and source its export.sh, "
                        "or generate --form cmake for a build without it")
    target = build_directory or directory / "build"
    log.note(f"compiling for {board.title} with ESP-IDF")
    done = tools.run([idf, "-C", str(directory), "-B", str(target),
                      f"-DEDGEKIT_OPTIMIZE={layout.optimize_flag(optimize)}", "build"],
                     timeout_s=1800)
    if done.returncode != 0:
        output = (done.stdout + done.stderr).decode(errors="replace")
        raise linker.overflow(output, board) or BuildFailed(
            f"idf.py could not build {directory.name}: {linker.last_errors(output)}",
            f"the whole output: idf.py -C {directory} build")
    return _firmware(target, idf)


def _firmware(target: Path, idf: str) -> Firmware:
    # The bootloader's ELF is in a folder of its own.
    linked = sorted(target.glob("*.elf"))
    if len(linked) != 1:
        raise EdgekitError(f"{target} holds {len(linked)} .elf files, one was expected",
                           "remove the build folder and build again")
    version = tools.run([idf, "--version"]).stdout.decode(errors="replace").split("\n")[0].strip()
    return Firmware(linked[0], version or "ESP-IDF", *read_sizes(linked[0]),
                    image=linked[0].with_suffix(".bin"))


def _target(board: Board) -> str:
    """ESP-IDF's name of the chip."""
    if not board.cpu.core.startswith("esp32"):
        raise BadBoard(f"ESP-IDF does not run on {board.title} ({board.cpu.core})",
                       "its forms: " + ", ".join(board.forms))
    return board.cpu.core.replace("-", "")


def _model_part(model: ModelCode) -> Project:
    """The model as a component; its map where every form has it."""
    kept = {path: data for path, data in layout.model_part(model).files
            if path.endswith(".map.json")}
    # model.cmake builds TFLite Micro, which is a component of its own here.
    skipped = {"model.cmake", f"{model.name}.map.json",
               *(path for path, _ in model.files.files if path.startswith("edgekit_tflm_"))}
    sources = {path: data for path, data in model.files.files if path not in skipped}
    return Project.of(kept).merged(Project.of(sources).under("components/edgekit_model"))
