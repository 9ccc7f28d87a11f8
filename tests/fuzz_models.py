"""Random models of every operator, byte for byte: `python tests/fuzz_models.py [--count N]`.

Each graph runs in TensorFlow Lite Micro (the wheel, every tensor compared), by reference(), as C
code of the host under AddressSanitizer and UndefinedBehaviorSanitizer, and a part of them as
firmware of an emulated Cortex-M4.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import case_firmware
import random_recipes  # noqa: F401  registers the recipes
from cases import samples
from edgekit import checks, memory, reference, tflite, tflite_writer
from edgekit.board import load_board
from edgekit.emulators.tflm_host import TflmHost
from edgekit.graph import DType, Graph
from fuzz import BATCH, compile_and_run
from random_graphs import random_graph

DISTINCT = 3
BOARD = "mps2_an386"


@dataclass
class Report:
    """What a run saw; `failures` name the seed."""

    graphs: dict[int, Graph] = field(default_factory=dict)
    used: Counter = field(default_factory=Counter)
    scales: Counter = field(default_factory=Counter)
    varied: int = 0
    compared: int = 0
    emulated: int = 0
    failures: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The counts as text."""
        count, total = len(self.graphs), sum(self.scales.values()) - self.scales["zero weights"]
        edges = total - self.scales["log-uniform"]
        return [
            f"{count} graphs, seeds {min(self.graphs)} to {max(self.graphs)}, "
            f"{sum(self.used.values())} operators, {self.compared:,} elements compared",
            "operators: " + ", ".join(f"{kind} {n}" for kind, n in sorted(self.used.items())),
            f"rarest: {min(self.used.values())} times",
            f"output scales: {total}, {edges} at an edge: " + ", ".join(
                f"{name} {n}" for name, n in sorted(self.scales.items())),
            f"{DISTINCT} or more values in an output: {self.varied} graphs "
            f"({100 * self.varied / count:.0f} %)",
            f"{self.emulated} on an emulated Cortex-M4",
            *(f"FAILED {failure}" for failure in self.failures)]


def draw(count: int, seed: int) -> Report:
    """`count` graphs from the seeds `seed`, `seed` + 1, ..."""
    report = Report()
    for number in range(seed, seed + count):
        drawn = random_graph(number, report.used)
        report.graphs[number] = drawn.graph
        report.scales.update(drawn.scales)
    return report


def compare_with_tflm(report: Report) -> None:
    """Every tensor of every graph, by reference() and by the wheel."""
    for seed, graph in report.graphs.items():
        data = tflite_writer.write(graph)
        if tflite.read(data, graph.name) != graph:
            report.failures.append(f"seed {seed}: it reads back as another graph")
        golden = TflmHost(data, graph, preserve=True)
        outputs: dict[int, list[np.ndarray]] = {}
        for sample in samples(graph, random=3):
            values = reference.run(graph, sample)
            given = dict(zip(graph.outputs, golden.run(sample), strict=True))
            for op in graph.ops:
                for i in op.outputs:
                    expected = given[i] if i in given else golden.tensor(i)
                    report.compared += values[i].size
                    outputs.setdefault(i, []).append(values[i])
                    if not np.array_equal(values[i].reshape(-1), expected.reshape(-1)):
                        report.failures.append(_difference(seed, op, graph, values[i], expected))
                        break
        # Where something is along a short axis says little.
        report.varied += all(len(np.unique(outputs[i])) >= DISTINCT for i in graph.outputs
                             if graph.tensors[i].dtype is not DType.INT32)


def _difference(seed: int, op, graph: Graph, got: np.ndarray, expected: np.ndarray) -> str:
    wrong = np.flatnonzero(got.reshape(-1) != expected.reshape(-1))
    at = int(wrong[0])
    return (f"seed {seed}: operator {op.index} {op.kind}: {len(wrong)} of {got.size} elements, "
            f"element {at} is {got.reshape(-1)[at]}, TFLite Micro gives "
            f"{expected.reshape(-1)[at]}; {op.options}, {graph.inputs_of(op)}, "
            f"{graph.outputs_of(op)}")


def compile_with_sanitizers(report: Report) -> None:
    """The C code of every graph on the host, its outputs against reference()."""
    planned = []
    for seed, graph in report.graphs.items():
        plan = memory.plan(graph)
        report.failures += [f"seed {seed}: {text}" for text in checks.plan_problems(graph, plan)]
        planned.append((f"seed {seed}", graph, plan))
    with tempfile.TemporaryDirectory(prefix="edgekit-fuzz-") as folder:
        for start in range(0, len(planned), BATCH):
            report.failures += compile_and_run(planned[start:start + BATCH],
                                               Path(folder) / str(start), Path(folder) / "kernels")


def emulate(report: Report, count: int) -> None:
    """`count` graphs, the last ones that compute, as firmware of a Cortex-M4 with its kernels."""
    from edgekit.emulators.unicorn import open_machine
    board = load_board(BOARD)
    computing = [(seed, graph) for seed, graph in report.graphs.items()
                 if any(memory.lower(graph))]
    chosen = computing[-count:] if count else []
    codes = [case_firmware.code_of(graph, number, board.cpu.kernels)
             for number, (_, graph) in enumerate(chosen)]
    with tempfile.TemporaryDirectory(prefix="edgekit-fuzz-") as folder:
        if not codes:
            return
        firmware = case_firmware.build(codes, board, Path(folder))
        with open_machine(firmware, board, codes[0].map) as machine:
            for (seed, graph), code in zip(chosen, codes, strict=True):
                link = case_firmware.link_to(machine, code)
                for sample in samples(graph, random=3):
                    link.load(tuple(value.tobytes() for value in sample))
                    values = reference.run(graph, sample)
                    if link.infer().outputs != tuple(values[i].tobytes() for i in graph.outputs):
                        report.failures.append(f"seed {seed}: the firmware gives other outputs")
                        break
    report.emulated = len(chosen)


def run(count: int, seed: int, emulated: int) -> Report:
    report = draw(count, seed)
    compare_with_tflm(report)
    compile_with_sanitizers(report)
    emulate(report, emulated)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--emulated", type=int, default=60)
    given = parser.parse_args()
    report = run(given.count, given.seed, given.emulated)
    print("\n".join(report.lines()))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
