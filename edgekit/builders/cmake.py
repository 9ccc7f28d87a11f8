"""The form `cmake`: a whole firmware with start-up code, linker script and application."""

from __future__ import annotations

import os
import re
from pathlib import Path

from edgekit import log, toolchains, tools, uf2
from edgekit.board import Board
from edgekit.builders import layout, linker
from edgekit.codegen import ModelCode, Project, SelfTest, render
from edgekit.elf import read_image
from edgekit.errors import BuildFailed, EdgekitError, NotThere
from edgekit.firmware import Firmware, read_sizes
from edgekit.toolchains import Toolchain

_NO_CXX_LIBRARY = re.compile("fatal error: (new|cstddef|cstdint|stdint.h): No such file")
# Engines under which the firmware's own end is seen; the others stop at edgekit_ready().
_ENGINES_WITH_AN_END = {"native", "qemu", "qemu_user"}


def project(model: ModelCode, selftest: SelfTest, board: Board, *,
            optimize: str = "balanced") -> Project:
    """A CMake project that builds NAME.elf for the board.

    BadBoard where the board's port or memories do not allow one, UsageError for an unknown
    `optimize` (speed, balanced, size).
    """
    flag = layout.optimize_flag(optimize)
    board_files = layout.board_part(board, model.arena_size)
    return (layout.model_part(model)
            .merged(layout.app_part(model, selftest, board))
            .merged(board_files)
            .merged(layout.manifest(model, board, "cmake", optimize))
            .merged(_build_files(model, board, board_files, flag)))


def build(directory: Path, board: Board, *, toolchain: str = "auto", optimize: str = "balanced",
          build_directory: Path | None = None, emulated: bool | None = None,
          link: bool | None = None) -> Firmware:
    """Configure and compile a project folder with CMake and Ninja.

    `emulated` is the option EDGEKIT_EMULATED (the firmware ends after its self-test); None
    chooses it where one of the board's emulators sees that end. `link` is EDGEKIT_LINK (a host
    may talk to it on the UART); None leaves it to the project: for hardware, yes. Raises NotThere
    naming the program that is missing, DoesNotFit with region and bytes, BuildFailed with the
    compiler's last errors.
    """
    has_cxx = any((directory / "model").glob("*.cc"))
    chain = toolchains.choose(board, toolchain, cxx=has_cxx)
    cmake, ninja = tools.require("cmake"), tools.require("ninja")
    target = build_directory or directory / "build" / chain.kind
    if emulated is None:
        emulated = not _ENGINES_WITH_AN_END.isdisjoint(board.emulators)
    configure = [cmake, "-S", str(directory), "-B", str(target), "-G", "Ninja",
                 f"-DCMAKE_MAKE_PROGRAM={ninja}",
                 f"-DEDGEKIT_OPTIMIZE={layout.optimize_flag(optimize)}",
                 f"-DEDGEKIT_EMULATED={'ON' if emulated else 'OFF'}"]
    if link is not None:
        configure.append(f"-DEDGEKIT_LINK={'ON' if link else 'OFF'}")
    if chain.file:
        configure.append(f"-DCMAKE_TOOLCHAIN_FILE={(directory / 'cmake' / chain.file).resolve()}")
    log.note(f"compiling for {board.title} with {chain.compiler}")
    _run(configure, directory, board, "cmake could not configure the project")
    _run([cmake, "--build", str(target)], directory, board, "the project does not compile")
    return _firmware(target, chain, board)


def _run(command: list[str], directory: Path, board: Board, failure: str) -> None:
    done = tools.run(command, timeout_s=3600)  # TFLite Micro on a slow machine takes its time
    if done.returncode == 0:
        return
    output = (done.stdout + done.stderr).decode(errors="replace")
    overflow = linker.overflow(output, board)
    if overflow:
        raise overflow
    if _NO_CXX_LIBRARY.search(output):
        raise NotThere(f"the C++ compiler for {board.title} has no C++ library, which TFLite Micro "
                       "needs", "another build of the compiler, or --runtime aot")
    hint = f"the whole output: {Path(command[0]).name} {' '.join(command[1:])}"
    if (directory / "model" / "model.cmake").is_file() and not os.environ.get("TFLM_DIR"):
        hint = ("TFLite Micro's sources are fetched unless TFLM_DIR names a checkout; "
                f"--runtime aot needs none; {hint}")
    raise BuildFailed(f"{failure} ({directory.name}): {linker.last_errors(output)}", hint)


def _firmware(target: Path, chain: Toolchain, board: Board) -> Firmware:
    linked = sorted(target.glob("*.elf"))
    if len(linked) != 1:
        raise EdgekitError(f"{target} holds {len(linked)} .elf files, one was expected",
                           "remove the build folder and build again")
    text, data, bss = read_sizes(linked[0])
    return Firmware(linked[0], chain.label, text, data, bss, image=_uf2(linked[0], board))


def _uf2(elf: Path, board: Board) -> Path | None:
    """NAME.uf2 beside the ELF file, for boards whose boot ROM takes one."""
    if board.port not in uf2.FAMILIES:
        return None
    image = elf.with_suffix(".uf2")
    image.write_bytes(uf2.pack(read_image(elf), uf2.FAMILIES[board.port]))
    return image


def _build_files(model: ModelCode, board: Board, board_files: Project, flag: str) -> Project:
    sources = [path.removeprefix("board/") for path, _ in board_files.files if path.endswith(".c")]
    chains = toolchains.known(board)
    hosted = toolchains.is_hosted(board)
    bare_cxx = layout.languages(model) == "C CXX" and not hosted
    presets = _presets(chains[:1] if bare_cxx else chains, bare_cxx)
    shared = {"name": model.name, "board": board, "hosted": hosted}
    files = {
        "CMakeLists.txt": render(
            "project/cmake/CMakeLists.txt.j2", languages=layout.languages(model),
            optimize_flag=flag, model_sources=model.sources, board_sources=sources,
            entry=layout.ENTRY.get(board.toolchain, ""), **shared),
        "CMakePresets.json": render("project/cmake/CMakePresets.json.j2", presets=presets),
        "README.md": _readme(model, board, chains[0], presets),
    }
    for chain in chains:
        if chain.file:
            files[f"cmake/{chain.file}"] = _toolchain_file(chain.kind, board, chain)
    return Project.of(files)


def _toolchain_file(template: str, board: Board, chain: Toolchain) -> str:
    return render(f"project/cmake/{template}.cmake.j2", board=board,
                  hosted=toolchains.is_hosted(board), compiler=chain.compiler,
                  cxx_compiler=chain.cxx_compiler, c_flags=" ".join(chain.c_flags),
                  cpu_flags=" ".join(chain.cpu_flags), link_flags=" ".join(chain.link_flags),
                  libraries=" ".join(chain.libraries))


def _presets(chains: tuple[Toolchain, ...], cxx: bool) -> list[dict[str, str | None]]:
    """Two of each toolchain; the first is the one to use."""
    presets = []
    for number, chain in enumerate(chains):
        needs = ("zig, on PATH or from `pip install ziglang`" if chain.kind == "zig" else
                 f"`{chain.cxx_compiler if cxx else chain.compiler}`")
        shared = {"toolchain": chain.file, "needs": needs}
        presets += [
            {"name": "default", "title": "for the board", "emulated": "OFF", **shared},
            {"name": "emulated", "title": "ends after the self-test, for an emulator",
             "emulated": "ON", **shared},
        ] if number == 0 else [
            {"name": chain.kind, "title": "for the board, with the C compiler in zig",
             "emulated": "OFF", **shared},
            {"name": f"{chain.kind}-emulated", "title": "with zig, for an emulator",
             "emulated": "ON", **shared},
        ]
    return presets


def _readme(model: ModelCode, board: Board, chain: Toolchain, presets) -> str:
    hosted = toolchains.is_hosted(board)
    elf = f"build/default/{model.name}.elf"
    return render("project/cmake/README.md.j2", name=model.name, board=board,
                  runtime=model.runtime, presets=presets, note=_NOTES.get(board.port, ""),
                  where="" if hosted else f" on {board.serial.uart} at {board.serial.baud} baud",
                  board_folder="standard output, exit code and clock of Linux" if hosted else
                  "start-up code, linker script, clocks and UART",
                  check=_check(board, chain, elf))


def _check(board: Board, chain: Toolchain, elf: str) -> str:
    prefix = "" if chain.kind == "zig" else chain.compiler.removesuffix("gcc").removesuffix("cc")
    steps = [f"    {prefix}size {elf}"]
    emulated = elf.replace("default", "emulated")
    runner = _LINUX_RUNNER.get(board.toolchain, "{elf}")
    command = {**_EMULATOR, "linux": runner}.get(board.port, "").format(
        machine=board.name.replace("_", "-"), elf=emulated, core=board.cpu.core.split("jz")[0])
    if command:
        steps += ["    cmake --preset emulated && cmake --build --preset emulated", f"    {command}"]
    return "\n".join(steps)


# How the firmware of a port runs without edgekit, by those who have the program.
_EMULATOR = {
    "mps2": "qemu-system-arm -M {machine} -display none -monitor none -serial stdio "
            "-semihosting -kernel {elf}",
    "qemu_riscv32": "qemu-system-riscv32 -M virt -bios none -display none -monitor none "
                    "-serial stdio -kernel {elf}",
    "qemu_aarch64": "qemu-system-aarch64 -M virt -cpu cortex-a72 -nic none -display none "
                    "-monitor none -serial stdio -semihosting -kernel {elf}",
    # An STM32F405 with the same core, flash, USART and RAM; its clock registers read as 0.
    "stm32f4": "qemu-system-arm -M netduinoplus2 -display none -monitor none -serial null "
               "-serial stdio -semihosting -kernel {elf}",
}
_LINUX_RUNNER = {"aarch64-linux-gnu": "qemu-aarch64 {elf}",
                 "arm-linux-gnueabihf": "qemu-arm -cpu {core} {elf}",
                 "arm-linux-musleabihf": "qemu-arm -cpu {core} {elf}"}
_NOTES = {
    "esp32c3": "This is a bare build, without ESP-IDF, for emulators and for measuring; "
               "the form `esp-idf` is the one for a product.",
    "esp32c6": "This is a bare build, without ESP-IDF, for emulators and for measuring: the clock "
               "stays as the ROM leaves it. The form `esp-idf` is the one for a product.",
    "rp2040": "This is a bare build, without the pico-sdk.",
    "rp2350": "This is a bare build, without the pico-sdk.",
}
