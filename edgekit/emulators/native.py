"""The native engine: generated aot code built for the host and called through ctypes."""

from __future__ import annotations

import ctypes
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgekit import tools
from edgekit.codegen import ModelCode
from edgekit.errors import BuildFailed, EmulationFault, NotThere
from edgekit.link import Hello, Inference

# The firmware's own language and float rules; see the note on contraction in ARCHITECTURE.md.
FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-fPIC", "-shared", "-fno-strict-aliasing"]


def compiler() -> list[str]:
    """The host's C compiler as a command: cc, gcc or clang, else pip's zig."""
    for program in ("cc", "gcc", "clang"):
        if path := tools.find(program):
            return [path]
    if path := tools.find("zig"):
        # Freestanding code needs no libc: zig would build one first, for half a minute.
        return [path, "cc", "-target", f"{platform.machine()}-linux-none", "-nostdlib",
                "-fno-sanitize=undefined"]
    raise NotThere("there is no C compiler for the host", "install gcc, or pip install ziglang")


def available() -> bool:
    if sys.platform == "win32":
        return False
    return any(tools.find(program) for program in ("cc", "gcc", "clang", "zig"))


def build_library(codes: Sequence[ModelCode], folder: Path,
                  extra_flags: Sequence[str] = ()) -> ctypes.CDLL:
    """Several models' code as one loaded library below `folder`; kernels are compiled once."""
    for code in codes:
        code.files.write(folder)
    sources = sorted({source for code in codes for source in code.sources})
    library = folder / "models.so"
    result = tools.run([*compiler(), *FLAGS, *extra_flags, "-I.", *sources, "-o", str(library)],
                       cwd=folder)
    if result.returncode:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        raise BuildFailed("the host compiler refused the model code: " + " ".join(lines[:3]),
                          "this is a bug in edgekit: please report the model")
    return ctypes.CDLL(str(library))


@contextmanager
def open_native(code: ModelCode, extra_flags: Sequence[str] = ()) -> Iterator[NativeLink]:
    """The model's code, built in a temporary folder and loaded."""
    with tempfile.TemporaryDirectory(prefix="edgekit-native-") as folder:
        yield NativeLink(code, build_library([code], Path(folder), extra_flags))


class NativeLink:
    """A Link to one model in a loaded library."""

    def __init__(self, code: ModelCode, library: ctypes.CDLL):
        self.code, self._library = code, library
        for function, result in (("input_at", ctypes.c_void_p), ("output_at", ctypes.c_void_p),
                                 ("op_output", ctypes.c_void_p), ("invoke", ctypes.c_int),
                                 ("invoke_until", ctypes.c_int)):
            self._function(function).restype = result

    def _function(self, suffix: str):
        return getattr(self._library, f"{self.code.name}_{suffix}")

    def hello(self) -> Hello:
        return Hello("native", self.code.model_sha256,
                     tuple(entry["bytes"] for entry in self.code.map["inputs"]),
                     tuple(entry["bytes"] for entry in self.code.map["outputs"]))

    def load(self, inputs: tuple[bytes, ...]) -> None:
        # All addresses at once: a host that wrote one input may not disturb another.
        for i, data in enumerate(inputs):
            ctypes.memmove(self._function("input_at")(i), data, len(data))

    def infer(self, *, count: bool = False) -> Inference:
        if self._function("invoke")() != 0:
            raise EmulationFault(f"{self.code.name}_invoke failed on the host")
        return Inference(tuple(
            ctypes.string_at(self._function("output_at")(i), entry["bytes"])
            for i, entry in enumerate(self.code.map["outputs"])))

    def layers(self) -> tuple[bytes | None, ...]:
        inputs = [ctypes.string_at(self._function("input_at")(i), entry["bytes"])
                  for i, entry in enumerate(self.code.map["inputs"])]
        outputs = []
        for i in range(len(self.code.map["ops"])):
            self.load(tuple(inputs))
            self._function("invoke_until")(i)
            size = ctypes.c_size_t()
            address = self._function("op_output")(i, ctypes.byref(size))
            outputs.append(ctypes.string_at(address, size.value) if address else None)
        return tuple(outputs)
