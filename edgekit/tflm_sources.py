"""Whether firmware with TFLite Micro can be built and run here, or why not."""

from __future__ import annotations

import os

from edgekit import targets, toolchains, tools
from edgekit.board import Board


def missing(board: Board, engine: str, toolchain: str = "auto") -> tuple[str, str] | None:
    """(what is not there, what to do); None where nothing is.

    Commands that only look at a model build from TFLM_DIR; `edgekit build` fetches what it needs.
    """
    chain = toolchains.gcc(board)
    if "cmake" not in board.forms:
        return f"{board.title} has no form cmake", "idf.py size, in a project of form esp-idf"
    if not os.environ.get("TFLM_DIR"):
        return "TFLM_DIR is not set", "export TFLM_DIR=<a checkout of TensorFlow Lite Micro>"
    if engine not in targets.FIRMWARE_ENGINES:
        return f"the engine is {engine}", "--engine unicorn or qemu, where the board has one"
    if toolchain == "zig" or chain is None:
        return "zig has no C++ library for bare metal", "--toolchain gcc"
    if not tools.find(chain.cxx_compiler):
        return f"{chain.cxx_compiler} is not on PATH", "your system's package of it"
    return None
