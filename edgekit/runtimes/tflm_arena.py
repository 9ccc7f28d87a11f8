"""How large the tensor arena of a TFLite Micro firmware has to be.

What the host's TFLite Micro needs can be measured; what the kernels of the target need
besides is added from their formulas. The sum is an estimate: pointers are 8 bytes on the
host and 4 on the target, and the target's planner may place scratch between the tensors.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass, replace
from functools import lru_cache

from edgekit import memory, ops, tools
from edgekit.board import Board
from edgekit.errors import BadModel, EdgekitError
from edgekit.graph import Graph
from edgekit.runtimes import cmsis_nn, esp_nn
from edgekit.runtimes.arena_probe import STEP

# Bytes per tensor and per operator that the interpreter keeps beside the tensors, rounded up
# from what the wheel's recording allocator shows; used only where the wheel is not there.
_PER_TENSOR, _PER_OP, _FIXED = 24, 192, 1536
# A scratch buffer's request while it is planned, and its handle afterwards.
_PER_SCRATCH = 32

KERNELS = ("reference", "cmsis_nn", "esp_nn")


@dataclass(frozen=True, slots=True)
class ArenaNeed:
    """`interpreter` bytes by `method` ("measured on the host" or "estimated"), `kernels` bytes
    by formula for `library`; `size` is what the firmware reserves."""

    interpreter: int
    method: str
    library: str
    kernels: int

    @property
    def size(self) -> int:
        return _aligned(self.interpreter + self.kernels)


def kernel_library(board: Board | None) -> str:
    """The kernels that TFLite Micro is built with for a board."""
    if board is None or board.toolchain == "host":
        return "reference"
    if board.toolchain == "arm-none-eabi":
        return "cmsis_nn"
    return "esp_nn" if board.cpu.core.startswith("esp32") else "reference"


def arena_need(model: bytes, graph: Graph, board: Board | None) -> ArenaNeed:
    """BadModel where TFLite Micro cannot run the model in any arena."""
    library = kernel_library(board)
    scratch, persistent = _library_bytes(graph, board, library)
    kernels = sum(_aligned(size) for size in persistent)
    if any(scratch):
        # Never two at once: each lives for one operator.
        kernels += _aligned(max(scratch)) + _PER_SCRATCH * sum(1 for size in scratch if size)
    if importlib.util.find_spec("tflite_micro") is not None:
        return ArenaNeed(measure(model, graph), "measured on the host", library, kernels)
    return ArenaNeed(_estimate(graph), "estimated", library, kernels)


@lru_cache(maxsize=16)  # a search in a process of its own: commands ask for the same file again
def measure(model: bytes, graph: Graph) -> int:
    """Smallest arena with which the wheel's AllocateTensors succeeds, in bytes."""
    limit = _aligned(2 * sum(t.nbytes for t in graph.tensors) + 2048 * len(graph.ops) + (1 << 20))
    done = tools.run([sys.executable, "-m", "edgekit.runtimes.arena_probe", str(limit)],
                     input=model)
    lines = done.stdout.decode(errors="replace").splitlines()
    if done.returncode != 0 or not lines:
        raise EdgekitError("TensorFlow Lite Micro ended while it searched the arena's size "
                           f"(exit code {done.returncode})",
                           "edgekit check MODEL names the operators it cannot run")
    needed = json.loads(lines[-1])["bytes"]
    if needed is None:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BadModel(f"TensorFlow Lite Micro cannot run the model in {limit:,} bytes"
                       + (f": {said[-1]}" if said else ""),
                       "edgekit check MODEL names the operators it cannot run")
    return needed


def _library_bytes(graph: Graph, board: Board | None,
                   library: str) -> tuple[list[int], list[int]]:
    """(scratch of each operator, persistent buffers) in bytes, beyond the reference kernels'."""
    if library == "cmsis_nn":
        return cmsis_nn.buffers(graph, board.cpu.core)
    return esp_nn.buffers(graph) if library == "esp_nn" else ([], [])


def _estimate(graph: Graph) -> int:
    """The tensors' plan, per-channel tables and the interpreter's own structures."""
    known = all(ops.get(op.kind) for op in graph.ops)
    # TFLite Micro never places an output over an input.
    activations = (memory.plan(graph, _apart(memory.lower(graph))).arena_size if known else
                   sum(t.nbytes for t in graph.tensors if not t.is_constant))
    channels = sum(len(t.quant.scale) for t in graph.tensors if t.quant and t.is_constant)
    return _aligned(activations + 8 * channels + _PER_TENSOR * len(graph.tensors)
                    + _PER_OP * len(graph.ops) + _FIXED)


def _apart(calls):
    return tuple(tuple(replace(call, over=()) for call in of_op) for of_op in calls)


def _aligned(size: int) -> int:
    return -(-size // STEP) * STEP
