"""The rules of ARCHITECTURE.md, read from the code itself."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "edgekit"
SOURCES = sorted(PACKAGE.rglob("*.py"))
IDS = [path.relative_to(ROOT).as_posix() for path in SOURCES]

# Data flows one way: a module imports from its own row and from rows above it.
ROWS = (
    ("version", "errors", "resources", "log", "quiet"),
    ("tools", "toml_file", "graph", "fixed_point", "fixed_point_math", "flatbuffer", "link", "documents",
     "frames", "serial_port", "exchange", "greeting", "serial_link", "measurement"),
    ("ops", "ranges", "kernels", "board", "codegen", "elf", "uf2", "output", "data", "sources",
     "inputs"),
    ("tflite", "reference", "toolchains", "firmware", "macs", "board_list",
     "diagnosis", "comparison", "lock"),
    ("tflite_writer", "samples", "placing", "memory", "memories"),
    ("kernel_order", "checks"),
    ("passes",),
    ("runtimes.header",),
    ("model",),
    ("runtimes",),
    ("builders",),
    ("emulators", "workspace"),
    ("golden", "targets", "tflm_sources"),
    ("equality",),
    ("compact",),
    ("device", "flashers", "port_list", "monitoring"),
    ("importers", "validation", "profiling", "profiling_time", "profiling_firmware",
     "profiling_tflm", "symptoms",
     "inspection", "fixing",
     "profiling_device", "project"),
    ("compress", "report", "opening"),
    ("flashing",),
    ("compression", "pipeline"),
    ("demo", "search", "fitting", "fleet", "slimming", "arena_text", "text", "text_compression",
     "text_table", "text_device", "pytest_plugin"),
    ("spelling", "arguments", "settings", "running"),
    ("cli",),
    ("__init__", "__main__"),
)
FRAMEWORKS = {"tensorflow", "keras", "torch", "onnx", "ai_edge_litert", "litert_quantizer"}
OPTIONAL = FRAMEWORKS | {"unicorn", "capstone", "elftools", "tflite_micro", "ziglang", "mlxtend"}


def row_of(module: str) -> int:
    """The row of `edgekit.a.b`: its own name first, then its package's."""
    parts = module.removeprefix("edgekit").lstrip(".").split(".")
    for depth in range(len(parts), 0, -1):
        name = ".".join(parts[:depth])
        for number, row in enumerate(ROWS):
            if name in row:
                return number
    raise AssertionError(f"{module} has no row in ROWS: say where it belongs")


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def imports(tree: ast.AST) -> list[tuple[str, ast.AST]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, node))
            found += [(f"{node.module}.{alias.name}", node) for alias in node.names
                      if node.module == "edgekit" or (PACKAGE / node.module.removeprefix(
                          "edgekit.").replace(".", "/") / f"{alias.name}.py").is_file()]
    return found


def top_level(tree: ast.Module) -> set[ast.AST]:
    """Nodes that run on import: not inside a function."""
    inside = {node for function in ast.walk(tree)
              if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
              for node in ast.walk(function)}
    return set(ast.walk(tree)) - inside


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_a_module_imports_only_from_its_row_and_above(path):
    own = row_of(module_of(path))
    for name, _ in imports(ast.parse(path.read_text())):
        if name.startswith("edgekit.") and (PACKAGE / name.removeprefix("edgekit.").replace(
                ".", "/")).with_suffix(".py").is_file():
            assert row_of(name) <= own, f"{module_of(path)} imports {name}"


def test_the_graph_imports_nothing_of_edgekit():
    names = [name for name, _ in imports(ast.parse((PACKAGE / "graph.py").read_text()))]
    assert not [name for name in names if name.startswith("edgekit")]


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_optional_packages_are_imported_inside_functions_only(path):
    tree = ast.parse(path.read_text())
    runs = top_level(tree)
    early = [name for name, node in imports(tree) if name.split(".")[0] in OPTIONAL and node in runs]
    assert early == []


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_frameworks_are_imported_in_importers_and_compress_only(path):
    used = {name.split(".")[0] for name, _ in imports(ast.parse(path.read_text()))} & FRAMEWORKS
    assert not used or path.parent.name in ("importers", "compress")


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_only_the_command_line_prints_and_only_tools_starts_processes(path):
    tree = ast.parse(path.read_text())
    calls = {node.func.id for node in ast.walk(tree)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    if path.name not in ("cli.py", "arena_probe.py"):  # the probe is a program of its own
        assert "print" not in calls
    names = {name.split(".")[0] for name, _ in imports(tree)}
    assert "subprocess" not in names or path.name == "tools.py"
    assert "serial" not in names or path.name in ("serial_port.py", "port_list.py"), "use serial_port"


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_no_failure_is_swallowed(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or (isinstance(node.type, ast.Name)
                                          and node.type.id in ("Exception", "BaseException"))
            assert not broad or any(isinstance(n, ast.Raise) for n in ast.walk(node)), node.lineno


def test_modules_stay_small():
    sizes = [len(path.read_text().splitlines()) for path in SOURCES if path.stat().st_size]
    assert statistics.median(sizes) < 120
    assert max(sizes) < 330


@pytest.mark.parametrize("arguments", [["--help"], ["boards"], ["doctor"]])
def test_small_commands_start_without_a_framework_in_a_third_of_a_second(arguments):
    program = ("import sys, time; from edgekit.cli import main\n"
               "try: code = main(sys.argv[1:])\n"
               "except SystemExit as end: code = end.code\n"
               f"loaded = sorted({FRAMEWORKS | {'numpy'}!r} & set(sys.modules))\n"
               "print(code, loaded, time.process_time(), file=sys.stderr)")
    # The smallest of three: a busy machine adds, it never takes away.
    answers = [subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True,
                              text=True, check=True).stderr.split() for _ in range(3)]
    assert {(code, loaded) for code, loaded, _ in answers} == {("0", "[]")}
    assert min(float(seconds) for *_, seconds in answers) < 0.3


TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*")
                   if path.is_file() and path.suffix not in (".html",))


@pytest.mark.parametrize("path", TEMPLATES, ids=[p.relative_to(ROOT).as_posix() for p in TEMPLATES])
def test_what_is_generated_is_free_of_conditions(path):
    if path.suffix in (".c", ".h", ".S") or ".c." in path.name or ".h." in path.name:
        assert "SPDX-License-Identifier: 0BSD" in path.read_text().splitlines()[0]


def test_kernels_are_plain_c_without_jinja():
    for path in (ROOT / "templates/kernels").iterdir():
        assert path.suffix in (".c", ".h", ".S")
        assert "{%" not in path.read_text() and "{{ " not in path.read_text()
