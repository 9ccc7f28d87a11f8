"""Every board x form x runtime, for the keyword-spotting model and one with two inputs: generated,
compiled, linked and run as far as it goes here.

    python tests/matrix.py                    print the table
    python tests/matrix.py --write            and put it into docs/boards.md
    python tests/matrix.py BOARD... --write   these boards only; other rows stay

It needs all compilers and emulators of .ci/run, pip's platformio, idf-component-manager and
ai-edge-litert, and EDGEKIT_MODELS for the keyword-spotting model. About fifteen minutes.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import standins  # noqa: E402
from tiny_graphs import all_graphs  # noqa: E402

from edgekit import tflite_writer, toolchains, tools  # noqa: E402
from edgekit.board import Board, board_names, load_board  # noqa: E402
from edgekit.builders import cmake, forms  # noqa: E402
from edgekit.codegen import Project  # noqa: E402
from edgekit.emulators.unicorn import open_machine  # noqa: E402
from edgekit.errors import EdgekitError, UsageError  # noqa: E402
from edgekit.model import Model, compile_plan, load_model, model_of  # noqa: E402
from edgekit.project import RUNTIMES, compose, model_code  # noqa: E402
from edgekit.runtimes import aot, tflm_arena  # noqa: E402

DOCS = Path(__file__).resolve().parent.parent / "docs" / "boards.md"
BEGIN, END = "<!-- matrix -->\n", "<!-- /matrix -->\n"
ZEPHYR_BOARDS = (standins.HERE / "zephyr_standin" / "boards.txt").read_text().splitlines()
MODELS = ("kws", "two_inputs")
# Where a mark is missing, that was not done.
LEGEND = {
    "G": "compiled and linked by the board's GNU compiler, warnings being errors",
    "Z": "the same by zig", "S": "configured, compiled, linked and run by the host's compiler "
    "against a stand-in for the ecosystem (library: in a project of two lines)",
    "L": "read by the ecosystem's own checker", "U": "self-test passed in unicorn",
    "Q": "self-test passed in QEMU", "N": "self-test passed on this machine",
    "P": "self-test passed in LiteRT on this machine", "-": "impossible; the command says why",
    "generated": "generated only: the compiler here has no C++ library for the core (RV32), or would "
    "build one for minutes (zig)"}


@functools.cache
def model(name: str) -> Model:
    if name == "kws":
        return load_model(Path(os.environ["EDGEKIT_MODELS"]) / "kws_ref_model.tflite", "kws")
    return model_of(tflite_writer.write(all_graphs()[name]), name)


def qemu(board: Board) -> list[str] | None:
    """The command before the ELF file that runs a board's firmware in QEMU."""
    arm = ["-semihosting"]
    machines = {"mps2": ["qemu-system-arm", "-M", board.name.replace("_", "-"), *arm],
                "stm32f4": ["qemu-system-arm", "-M", "netduinoplus2", *arm, "-serial", "null"],
                "qemu_riscv32": ["qemu-system-riscv32", "-M", "virt", "-bios", "none"],
                "qemu_aarch64": ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-nic",
                                 "none", *arm]}
    if board.port in machines:
        return [*machines[board.port], "-display", "none", "-monitor", "none", "-serial", "stdio",
                "-kernel"]
    core = board.cpu.core.split("jz")[0]
    return {"aarch64-linux-gnu": ["qemu-aarch64"], "host": [],
            "arm-linux-gnueabihf": ["qemu-arm", "-cpu", core],
            "arm-linux-musleabihf": ["qemu-arm", "-cpu", core]}.get(board.toolchain)


def runs(board: Board, elf: Path, name: str, model_map) -> str:
    """The marks of the engines in which the firmware's self-test passed."""
    marks, passed = "", f"edgekit {name}: self-test PASS\n"
    command = qemu(board)
    if command is not None:
        program = [tools.require(command[0]), *command[1:]] if command else []
        done = tools.run([*program, str(elf)], timeout_s=120)
        assert passed in done.stdout.decode() and done.returncode == 0, done
        marks += "Q" if command else "N"
    if "unicorn" in board.emulators and not toolchains.is_hosted(board):
        from edgekit.firmware import Firmware
        with open_machine(Firmware(elf, "", 0, 0, 0), board, model_map) as machine:
            assert passed in machine.transcript, machine.transcript
        marks += "U"
    return marks


def double(name: str, folder: Path) -> standins.Double:
    taken = model(name)
    graph, _, plan = compile_plan(taken)
    aot.generate(graph, plan, "double_model", "0" * 64, "any").files.write(folder / "double")
    need = tflm_arena.arena_need(taken.data, taken.graph, None)
    return standins.Double(folder / "double", need.size)


def check_cmake(board: Board, runtime: str, name: str, code, project: Path, folder: Path) -> str:
    marks = ""
    for chain in toolchains.known(board):
        if runtime == "tflm" and chain.kind == "zig":
            continue  # no C++ library for bare metal; for Linux it would be compiled for minutes
        build = folder / chain.kind
        if runtime == "aot":
            elf = cmake.build(project, board, toolchain=chain.kind, build_directory=build,
                              emulated=True, link=False).elf
        else:
            options = [f"-DCMAKE_TOOLCHAIN_FILE={project / 'cmake' / chain.file}"] if chain.file else []
            configure = [tools.require("cmake"), "-S", str(project), "-B", str(build), "-G", "Ninja",
                         "-DEDGEKIT_EMULATED=ON", f"-DCMAKE_PROJECT_INCLUDE={standins.TFLM_DOUBLE}",
                         *double(name, folder).options(), *options]
            for command in (configure, [tools.require("cmake"), "--build", str(build)]):
                done = tools.run(command, env={"CFLAGS": "-Werror", "CXXFLAGS": "-Werror"})
                if re.search(rb"fatal error: (new|stdint.h): No such file", done.stdout):
                    return marks  # the compiler is there without a C++ library
                assert done.returncode == 0, (done.stdout + done.stderr).decode()[-800:]
            (elf,) = build.glob("*.elf")
        marks += {"gcc": "G", "zig": "Z"}[chain.kind]
        found = runs(board, elf, name, code.map)
    return marks + found if marks else marks


_seen: dict[tuple, str] = {}


def digest(made: Project, names: list[str]) -> str:
    """sha256 of what compilers read of a project, whatever the board is called."""
    found = hashlib.sha256()
    for path, data in made.files:
        if not path.endswith((".md", ".json", ".ini", ".defaults")):
            for name in names:
                data = data.replace(name.encode(), b"@")
            found.update(path.encode() + b"\0" + data)
    return found.hexdigest()


def check_standin(board: Board, form: str, runtime: str, name: str, made: Project, project: Path,
                  folder: Path) -> str:
    assert form != "zephyr" or board.name_in(form) in ZEPHYR_BOARDS
    # Boards whose projects differ in the board's name and in texts alone give the compiler the same.
    names = sorted({board.name, board.title, board.name_in(form) or board.name}, key=len)[::-1]
    key = (form, runtime, name, digest(made, names))
    if key not in _seen:
        backing = double(name, folder) if runtime == "tflm" else None
        code, output = getattr(standins, form.replace("-", "_"))(project, folder / "b", name, backing)
        assert code == 0 and (form == "library" or "self-test PASS" in output), output[-800:]
        _seen[key] = "P" if form == "python" else "S"
    return _seen[key] + lint(form, runtime, project, folder)


def lint(form: str, runtime: str, project: Path, folder: Path) -> str:
    if form == "platformio":
        assert standins.platformio_lint(project, folder) == {"errors": [], "warnings": []}
        return "L"
    if form == "esp-idf" and runtime == "tflm":
        from idf_component_tools.manager import ManifestManager
        ManifestManager(str(project / "components/edgekit_model"), "edgekit_model").load()
        return "L"
    return ""


def cell(board: Board, form: str, runtime: str, name: str) -> str:
    """The marks of one project; an exception's text behind `!` where a check failed."""
    try:
        forms.require_possible(board, form, runtime)
    except UsageError:
        return "-"
    with tempfile.TemporaryDirectory(prefix="edgekit-matrix-") as temporary:
        folder = Path(temporary)
        try:
            code = model_code(model(name), board, runtime)
            made = compose(model(name), code, board, form)
            made.write(folder / "project")
            if form == "cmake":
                return check_cmake(board, runtime, name, code, folder / "project", folder)
            return check_standin(board, form, runtime, name, made, folder / "project", folder)
        except (AssertionError, EdgekitError) as error:
            return f"! {error}"


def rows(board_name: str) -> list[list[str]]:
    """[board, form, aot, tflm] for every form of a board."""
    board, found = load_board(board_name), []
    for form in sorted(board.forms, key=forms.FORMS.index):
        cells = []
        for runtime in RUNTIMES[::-1]:
            marks = [cell(board, form, runtime, name) for name in MODELS]
            cells.append(marks[0] if marks[0] == marks[1] else " / ".join(m or "generated" for m in marks))
        found.append([board_name, form, *(text or "generated" for text in cells)])
        print(*found[-1], file=sys.stderr, flush=True)
    return found


def written() -> list[list[str]]:
    """The rows that docs/boards.md has."""
    text = DOCS.read_text().split(BEGIN)[1].split(END)[0]
    found = [[field.strip() for field in line.strip("|\n").split("|")]
             for line in text.splitlines() if line.startswith("| ")]
    return found[1:]


def table(lines: list[list[str]]) -> str:
    text = "| board | form | aot | tflm |\n|---|---|---|---|\n"
    text += "".join(f"| {' | '.join(row)} |\n" for row in lines)
    legend = "".join(f"* `{mark}` {what}\n" for mark, what in LEGEND.items())
    return f"{legend}\n{text}"


def main() -> int:
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    names = names or list(board_names())
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        lines = [row for board in pool.map(rows, names) for row in board]
    passed = not any("!" in field for row in lines for field in row)
    print(table(lines), end="")
    if "--write" in sys.argv and passed:
        kept = [row for row in written() if row[0] not in names]
        before, rest = DOCS.read_text().split(BEGIN)
        # Sorting is stable: a board's forms keep their order.
        text = table(sorted([*kept, *lines], key=lambda row: row[0]))
        DOCS.write_text(before + BEGIN + text + END + rest.split(END)[1])
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
