"""Firmware with the link, built for this machine or for QEMU, running behind a wire."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import require_tool
from wire import Wire

from edgekit import targets, toolchains, workspace
from edgekit.board import load_board
from edgekit.codegen import Project
from edgekit.model import Model
from edgekit.project import model_code
from edgekit.builders import cmake


# A change that makes one operator wrong.
MISTAKE = ("model/kernels/mean_s8.c", b"op->sum_offset;", b"op->sum_offset + 40;")


def build(model: Model, board: str, *, change: tuple[str, bytes, bytes] | None = None,
          runtime: str = "aot", emulated: bool = True) -> Path:
    """The ELF; `change` is (file, old, new) in the generated project, for making mistakes."""
    chosen = load_board(board)
    if not toolchains.available(chosen):
        require_tool(toolchains.gcc(chosen).compiler)
    code = model_code(model, chosen, runtime)
    project = cmake.project(code, targets.selftest(model), chosen)
    if change:
        path, old, new = change
        files = dict(project.files)
        assert files[path].count(old) == 1, (path, old)
        project = Project.of({**files, path: files[path].replace(old, new)})
    return workspace.built(project, chosen, "auto", "balanced", emulated=emulated, link=True).elf


def command(board: str, elf: Path) -> list[str]:
    """What runs the ELF with its UART on stdin and stdout."""
    if board == "linux_host":
        return [str(elf)]
    common = ["-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel", str(elf)]
    if board == "qemu_riscv32":
        return [require_tool("qemu-system-riscv32"), "-M", "virt", "-bios", "none", *common]
    if board == "qemu_aarch64":
        return [require_tool("qemu-system-aarch64"), "-M", "virt", "-cpu", "cortex-a72", "-nic",
                "none", "-semihosting", *common]
    return [require_tool("qemu-system-arm"), "-M", board.replace("_", "-"), "-semihosting", *common]


@contextmanager
def running(board: str, elf: Path, **wire) -> Iterator[Wire]:
    """The firmware behind a Wire; `wire.process` is the program."""
    with subprocess.Popen(command(board, elf), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, bufsize=0) as process:
        try:
            with Wire(process.stdout.fileno(), process.stdin.fileno(), **wire) as found:
                found.process = process
                yield found
        finally:
            process.kill()
