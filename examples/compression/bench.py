"""Compression against figures: accuracy and bytes on MNIST-5k, the mean over five seeds.

    python examples/compression/bench.py [--fast] [--json results.json]

Trains everything itself, two networks with five seeds, each in a process with one thread; exits
with 1 where a figure is missed. `--fast` takes one seed and judges nothing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import figures
from edgekit.documents import document
from edgekit.errors import EdgekitError
from edgekit.text import table

SEEDS = (1, 2, 3, 4, 5)
PACKAGES = ("tensorflow", "keras", "numpy", "tflite-micro", "mlxtend", "torch", "torch-pruning")
# One thread in a process, two processes: nothing waits for another thread, and sums have one order.
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1",
           "TF_CPP_MIN_LOG_LEVEL": "2"}


def measure(net: str, seed: int) -> dict[str, dict]:
    """The rows of a network with a seed; runs in a process of its own."""
    from recipe import Bench
    return Bench(net, seed).run()


def run(seeds: Sequence[int], processes: int) -> dict[str, list[dict]]:
    """The rows by network, in the order of the seeds."""
    os.environ.update(THREADS)
    jobs = [(net, seed) for seed in seeds for net in ("ds_cnn", "resnet8")]
    done = {}
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"),
                             max_tasks_per_child=1) as pool:
        futures = {pool.submit(measure, *job): job for job in jobs}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            print(_line(*futures[future], future.result()), file=sys.stderr, flush=True)
    return {net: [done[net, seed] for seed in seeds] for net in ("resnet8", "ds_cnn")}


def report(results: figures.Results, seeds: Sequence[int], seconds: float) -> dict:
    """`edgekit.bench_compression`."""
    return document("bench_compression", seeds=list(seeds), seconds=round(seconds, 1),
                    packages=_versions(), figures=figures.judge(results), results=results,
                    methods={"accuracy": "measured", "bytes": "exact", "seconds": "measured"})


def show(result: dict) -> str:
    """The document as a table."""
    header = ("net", "figure", "mean", "deviation", "", "limit", "unit", "reached")
    rows = [(one["net"], one["figure"], _number(one["mean"]), _number(one["deviation"]),
             ">=" if one["at_least"] else "<=", _number(one["limit"]), one["unit"],
             {True: "yes", False: "NO", None: "not measured"}[one["ok"]])
            for one in result["figures"]]
    versions = ", ".join(f"{name} {version or 'not installed'}"
                         for name, version in result["packages"].items())
    return (f"{table(rows, header)}\n{len(result['seeds'])} seeds, {result['seconds']:.0f} s; "
            f"{versions}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="one seed; nothing is judged")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="default: 2")
    options = parser.parse_args(arguments)
    seeds, begun = SEEDS[:1] if options.fast else SEEDS, time.perf_counter()
    result = report(run(seeds, options.processes), seeds, time.perf_counter() - begun)
    print(show(result))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    wrong = figures.unequal(result["results"])
    if not options.fast:
        wrong += figures.missed(result["figures"])
    for sentence in wrong:
        print(f"error: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


def _line(net: str, seed: int, rows: dict[str, dict]) -> str:
    seconds = sum(row["seconds"] for row in rows.values())
    found = ", ".join(f"{name} {row['accuracy']:.1%}" for name, row in rows.items())
    return f"{seconds:6.0f} s  {net}, seed {seed}: {found}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def _versions() -> dict[str, str | None]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EdgekitError as error:
        sys.exit(f"error: {error.message}\nhint: {error.hint}")
