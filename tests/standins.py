"""Projects of every form, configured, compiled, linked and run with the host's compiler against
stand-ins of our own for the ecosystems. Each function gives (exit code, output) of the step that
failed, or of the program."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from edgekit import tools

HERE = Path(__file__).resolve().parent
WARNINGS = "-Wall -Wextra -Werror"
STRICT = "-Wall -Wextra -Wconversion -Wshadow -pedantic -Werror"
TFLM_DOUBLE = HERE / "tflm_double" / "tflm_double.cmake"


@dataclass(frozen=True)
class Double:
    """What stands for TFLite Micro: the same model's aot code in a folder, and its arena."""

    model: Path
    arena: int

    def options(self) -> list[str]:
        return [f"-DTFLM_DOUBLE_MODEL={self.model}", f"-DTFLM_DOUBLE_ARENA={self.arena}"]


def _steps(commands: list[list[str]], env: dict[str, str]) -> tuple[int, str]:
    for command in commands:
        done = tools.run(command, env=env, timeout_s=300)
        if done.returncode != 0:
            break
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def _cmake(project: Path, build: Path, options: list[str], program: str,
           env: dict[str, str], flags: str = WARNINGS) -> tuple[int, str]:
    cmake = tools.require("cmake")
    return _steps([[cmake, "-S", str(project), "-B", str(build), "-G", "Ninja",
                    f"-DCMAKE_MAKE_PROGRAM={tools.require('ninja')}", *options],
                   [cmake, "--build", str(build)], [str(build / program)]],
                  {"CFLAGS": flags, "CXXFLAGS": flags, **env})


def _injected(double: Double | None) -> list[str]:
    """The double by CMAKE_PROJECT_INCLUDE: `edgekit_tflm` is there when project() has run."""
    return [f"-DCMAKE_PROJECT_INCLUDE={TFLM_DOUBLE}", *double.options()] if double else []


def esp_idf(project: Path, build: Path, name: str, double: Double | None) -> tuple[int, str]:
    return _cmake(project, build, _injected(double), f"{name}.elf",
                  {"IDF_PATH": str(HERE / "esp_idf_standin")})


def pico_sdk(project: Path, build: Path, name: str, double: Double | None) -> tuple[int, str]:
    return _cmake(project, build, _injected(double), f"{name}.elf",
                  {"PICO_SDK_PATH": str(HERE / "pico_sdk_standin")})


def zephyr(project: Path, build: Path, name: str, double: Double | None) -> tuple[int, str]:
    options = [f"-DTFLM_DOUBLE={TFLM_DOUBLE}", *double.options()] if double else []
    return _cmake(project, build, options, "zephyr.elf",
                  {"ZEPHYR_BASE": str(HERE / "zephyr_standin")})


def arduino(project: Path, build: Path, name: str, double: None = None) -> tuple[int, str]:
    """The library's C, the sketch's C and C++, and a core of ours."""
    sketch = project / "examples" / name
    return _arduino(build, [project / "src"], project / "src", sketch, sketch / f"{name}.ino")


def platformio(project: Path, build: Path, name: str, double: None = None) -> tuple[int, str]:
    """As the Arduino framework compiles it; `pio` itself would fetch compilers."""
    library = project / "lib" / "edgekit_model" / "src"
    return _arduino(build, [library], library, project / "src", project / "src" / "main.cpp")


def _arduino(build: Path, folders: list[Path], include: Path, app: Path,
             sketch: Path) -> tuple[int, str]:
    build.mkdir(parents=True, exist_ok=True)
    core = HERE / "arduino_standin"
    sources = [path for folder in (*folders, app) for path in sorted(folder.rglob("*.c"))]
    commands, objects = [], []
    for number, source in enumerate(sources):
        objects.append(str(build / f"{number}.o"))
        # Arduino's cores: gnu11 or later, -Os; src/ is on the include path.
        commands.append([tools.require("cc"), "-std=gnu11", "-Os", *STRICT.split(), "-I",
                         str(include), "-I", str(app), "-c", str(source), "-o", objects[-1]])
    commands.append([tools.require("c++"), "-std=gnu++11", *STRICT.split(), "-I", str(core), "-I",
                     str(include), "-I", str(app), "-x", "c++", str(sketch), str(core / "core.cpp"),
                     "-x", "none", *objects, "-o", str(build / "sketch")])
    return _steps([*commands, [str(build / "sketch")]], {})


def platformio_lint(project: Path, folder: Path) -> dict:
    """What `pio project config --lint` says: its errors and warnings."""
    done = tools.run([tools.require("pio"), "project", "config", "--lint", "--json-output", "-d",
                      str(project)], env={"PLATFORMIO_CORE_DIR": str(folder / "core")})
    assert done.returncode == 0, done.stderr.decode()
    return ast.literal_eval(done.stdout.decode())  # pio prints Python, not JSON


def python(project: Path, build: Path, name: str, double: None = None) -> tuple[int, str]:
    return _steps([[sys.executable, str(project / "run.py"), "--selftest"]], dict(os.environ))


def library(project: Path, build: Path, name: str, double: Double | None) -> tuple[int, str]:
    """A user's project of two lines that adds the folder."""
    user = build / "user"
    user.mkdir(parents=True)
    (user / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(user C CXX)\n"
        f"add_subdirectory({project} {name})\nadd_executable(user main.c)\n"
        f"target_link_libraries(user PRIVATE {name})\n")
    (user / "main.c").write_text(
        f'#include "{name}.h"\n'
        f"int main(void) {{ return {name}_input_at(0) == NULL || {name}_invoke(); }}\n")
    return _cmake(user, build / "b", _injected(double), "user", {})
