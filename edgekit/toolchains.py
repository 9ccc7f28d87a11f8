"""Which compilers a board can be built with, and the flags each of them needs for its core."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit import tools
from edgekit.board import Board
from edgekit.errors import BadBoard, NotThere, UsageError

CHOICES = ("auto", "gcc", "zig")

OPTIMIZE = {"speed": "-O3", "balanced": "-O2", "size": "-Os"}

# Toolchain of the board file -> the GNU compilers' programs.
_GCC = {
    "arm-none-eabi": ("arm-none-eabi-gcc", "arm-none-eabi-g++"),
    "riscv32-unknown-elf": ("riscv64-unknown-elf-gcc", "riscv64-unknown-elf-g++"),
    "aarch64-linux-gnu": ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++"),
    "aarch64-none": ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++"),
    "arm-linux-gnueabihf": ("arm-linux-gnueabihf-gcc", "arm-linux-gnueabihf-g++"),
    "host": ("cc", "c++"),
}
# One compiler for each chip.
_XTENSA = "xtensa-esp-elf"
# The distributions' compilers for 32-bit Linux emit Armv7, which an Armv6 core does not run.
_ZIG_ONLY = ("arm-linux-musleabihf",)
_HOSTED = ("aarch64-linux-gnu", "arm-linux-gnueabihf", "arm-linux-musleabihf", "host")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One compiler for one board; `file` is its CMake toolchain file, None for the machine's own."""

    kind: str
    compiler: str
    cxx_compiler: str
    file: str | None
    cpu_flags: tuple[str, ...]
    c_flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    libraries: tuple[str, ...]

    @property
    def label(self) -> str:
        """The compiler and its version, as `arm-none-eabi-gcc 12.2.1`."""
        option = "version" if self.kind == "zig" else "-dumpfullversion"
        program = tools.require(self.compiler)
        version = tools.run([program, option]).stdout.decode(errors="replace").strip()
        if not re.fullmatch(r"[0-9][\w.+-]*", version):  # a `cc` that is clang
            version = tools.run([program, "-dumpversion"]).stdout.decode(errors="replace").strip()
        return f"{self.compiler} {version}"


def is_hosted(board: Board) -> bool:
    """Whether an operating system starts the firmware."""
    return board.toolchain in _HOSTED


def gcc(board: Board) -> Toolchain | None:
    """The GNU toolchain of a board, None where none builds for it; BadBoard where the board
    names a toolchain that is not known."""
    if board.toolchain in _ZIG_ONLY:
        return None
    if board.toolchain == _XTENSA:
        prefix = f"xtensa-{board.cpu.core.replace('-', '')}-elf"
        return Toolchain("gcc", f"{prefix}-gcc", f"{prefix}-g++", None, ("-mlongcalls",), (), (), ())
    if board.toolchain not in _GCC:
        raise BadBoard(f"{board.name}: unknown toolchain '{board.toolchain}'",
                       f"known: {', '.join(sorted((*_GCC, *_ZIG_ONLY, _XTENSA)))}")
    compiler, cxx = _GCC[board.toolchain]
    cpu = _gcc_cpu(board)
    if is_hosted(board):
        file = None if board.toolchain == "host" else f"{board.toolchain}.cmake"
        return Toolchain("gcc", compiler, cxx, file, cpu, cpu, ("-static",), ())
    # The Linux compiler links position-independent code unless told otherwise.
    fixed = ("-static", "-no-pie") if board.toolchain == "aarch64-none" else ()
    # -ffreestanding: the compiler's own stdint.h, since there may be no C library.
    # -fbuiltin: a four-byte memcpy stays one load, as it would without -ffreestanding.
    return Toolchain("gcc", compiler, cxx, f"{board.toolchain}.cmake", cpu,
                     (*cpu, "-ffreestanding", "-fbuiltin"),
                     (*cpu, *fixed, "-nostartfiles", "-nostdlib"), ("-lgcc",))


def zig(board: Board) -> Toolchain | None:
    """The C compiler in zig, which pip can install; None for Xtensa, which it does not know."""
    if board.toolchain == _XTENSA:
        return None
    cpu = _zig_cpu(board)
    flags = (*cpu, "-fno-sanitize=undefined", "-fno-unwind-tables",
             "-fno-asynchronous-unwind-tables", "-fomit-frame-pointer")
    if is_hosted(board):
        return Toolchain("zig", "zig", "zig", "zig.cmake", cpu, flags, (*cpu, "-static"), ())
    return Toolchain("zig", "zig", "zig", "zig.cmake", cpu, flags, (*cpu, "-nostdlib"),
                     ("-lcompiler_rt",))


def known(board: Board) -> tuple[Toolchain, ...]:
    """The board's toolchains, the preferred one first."""
    return tuple(chain for chain in (gcc(board), zig(board)) if chain)


def available(board: Board) -> tuple[Toolchain, ...]:
    """The board's toolchains that are on this machine, the preferred one first."""
    return tuple(chain for chain in known(board) if tools.find(chain.compiler))


def choose(board: Board, wanted: str = "auto", *, cxx: bool = False) -> Toolchain:
    """The toolchain to build with; NotThere (exit 6) names the program that is missing.

    `cxx` says that the project has C++ in it: on bare metal zig has no C++ library.
    """
    if wanted not in CHOICES:
        raise UsageError(f"unknown toolchain '{wanted}'", f"one of {', '.join(CHOICES)}")
    if cxx and not is_hosted(board):
        if wanted == "zig":
            raise UsageError("zig has no C++ library for bare metal, which TFLite Micro needs",
                             f"--toolchain gcc ({gcc(board).cxx_compiler}), or --runtime aot")
        tools.require(gcc(board).cxx_compiler,
                      "your system's package of it with a C++ library, or --runtime aot, "
                      "which needs a C compiler only")
        return gcc(board)
    if wanted == "auto":
        there = available(board)
        if there:
            return there[0]
        if not gcc(board):
            raise NotThere(f"zig is not on PATH; no other compiler here builds for {board.title}",
                           "pip install ziglang")
        raise NotThere(f"{gcc(board).compiler} is not on PATH, and neither is zig",
                       "pip install ziglang, or your system's package of the compiler")
    chain = gcc(board) if wanted == "gcc" else zig(board)
    if chain is None:
        raise UsageError(f"{wanted} does not build for {board.title} ({board.toolchain})",
                         f"--toolchain {known(board)[0].kind}")
    tools.require(chain.compiler, "pip install ziglang" if wanted == "zig" else "")
    return chain


def _gcc_cpu(board: Board) -> tuple[str, ...]:
    cpu = board.cpu
    if board.toolchain == "arm-none-eabi":
        float_flags = ((f"-mfpu={cpu.fpu}", "-mfloat-abi=hard") if cpu.fpu
                       else ("-mfloat-abi=soft",))
        return (f"-mcpu={cpu.core}", "-mthumb", *float_flags)
    if board.toolchain == "riscv32-unknown-elf":
        return (f"-march={cpu.isa}", "-mabi=ilp32")
    if board.toolchain == "aarch64-none":
        return (f"-mcpu={cpu.core}", "-fno-pie", "-mno-outline-atomics")
    if board.toolchain == "arm-linux-gnueabihf":
        return (f"-mcpu={cpu.core}", f"-mfpu={cpu.fpu}", "-mfloat-abi=hard")
    return () if board.toolchain == "host" else (f"-mcpu={cpu.core}",)


def _zig_cpu(board: Board) -> tuple[str, ...]:
    cpu = board.cpu
    core = cpu.core.replace("-", "_")
    if board.toolchain == "arm-none-eabi":
        abi = "eabihf" if cpu.fpu else "eabi"
        return ("-target", f"thumb-freestanding-{abi}", f"-mcpu={core}")
    if board.toolchain == "riscv32-unknown-elf":
        extensions = "".join(f"+{letter}" for letter in cpu.isa.removeprefix("rv32i"))
        return ("-target", "riscv32-freestanding-none", f"-mcpu=generic_rv32{extensions}")
    if board.toolchain == "aarch64-none":
        return ("-target", "aarch64-freestanding-none", f"-mcpu={core}")
    if board.toolchain == "aarch64-linux-gnu":
        return ("-target", "aarch64-linux-musl", f"-mcpu={core}")
    if board.toolchain in ("arm-linux-gnueabihf", "arm-linux-musleabihf"):
        return ("-target", "arm-linux-musleabihf", f"-mcpu={core}")
    return ("-target", "native-native-musl", "-mcpu=baseline")
