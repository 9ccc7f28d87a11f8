"""The project forms there are, and why one of them is impossible for a board or a runtime."""

from __future__ import annotations

from edgekit import toolchains
from edgekit.board import Board
from edgekit.errors import UsageError

FORMS = ("cmake", "library", "esp-idf", "pico-sdk", "zephyr", "arduino", "platformio", "python")

_ARDUINO = {"arduino": "Arduino", "platformio": "PlatformIO"}


def require_possible(board: Board, form: str, runtime: str) -> None:
    """UsageError (exit 2) with the reason where no such project can be."""
    if form not in FORMS:
        raise UsageError(f"unknown form '{form}'", f"{board.title} has {', '.join(board.forms)}")
    if form not in board.forms:
        raise UsageError(f"{board.title} has no form '{form}': {_why_not(board, form)}",
                         f"one of {', '.join(board.forms)}")
    if form in _ARDUINO and runtime == "tflm":
        raise UsageError(f"{_ARDUINO[form]} has no TFLite Micro that is kept up: its Arduino library "
                         "is frozen since 2023", "--runtime aot needs none")
    if form == "python" and runtime == "aot":
        raise UsageError("the form python runs the .tflite in LiteRT: the aot runtime's C code has "
                         "no place in it", "--form cmake, or --runtime tflm for the .tflite")


def _why_not(board: Board, form: str) -> str:
    if form == "cmake":
        return "the compiler for its core comes with ESP-IDF only"
    if form == "esp-idf":
        return f"ESP-IDF is for Espressif's chips, not for {board.cpu.core}"
    if form == "pico-sdk":
        return "the pico-sdk is for RP2040 and RP2350"
    if form == "python":
        return ("LiteRT has no package for 32-bit Arm" if toolchains.is_hosted(board) else
                "Python and LiteRT need an operating system")
    if toolchains.is_hosted(board):
        return f"it runs Linux, {form} is for microcontrollers"
    return f"{form} has no board definition of it that we know"
