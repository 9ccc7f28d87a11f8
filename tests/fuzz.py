"""Feeds mutants to the reader and to everything behind it: `python tests/fuzz.py [--count N]`.

What it looks for: an exception that is not BadModel, a model that takes a second, C code that
does not compile, touches memory it does not own, computes what C does not define, or computes
other numbers than reference().
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cases import samples
from edgekit import checks, memory, ops, reference, tflite, tflite_writer, tools
from edgekit.errors import BadModel
from edgekit.graph import Graph
from edgekit.inspection import inspect
from edgekit.memory import MemoryPlan
from edgekit.model import Model
from edgekit.runtimes import aot
from extremes import extremes
from mutants import mutants, small_graphs, small_models, truncations

LIMIT_S = 1.0
BATCH = 60  # models in one program: the kernels are compiled once for all
# A sample is compiled and run many times over: what would take minutes is left out, and counted.
MAX_ARENA, MAX_WORK = 1 << 20, 1 << 24
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


@dataclass
class Found:
    """What a run saw; `failures` say how to see each again."""

    outcomes: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    runnable: list[tuple[str, Graph, MemoryPlan]] = field(default_factory=list)
    slowest_s: float = 0.0


def examine(data: bytes, name: str, found: Found, original: Graph | None = None) -> None:
    """One file through the reader, the checks and the planner."""
    start = time.process_time()
    try:
        outcome = _outcome(data, name, found, original)
    except BadModel as error:
        outcome = "refused by the reader" if "cannot be compiled" not in error.message else \
            "refused by the checks"
        if not error.message or not all(error.reasons):
            found.failures.append(f"{name}: an empty message")
    except Exception:  # what this program looks for
        outcome = "crashed"
        found.failures.append(f"{name}: {traceback.format_exc(limit=-2)}")
    seconds = time.process_time() - start
    found.outcomes[outcome] += 1
    found.slowest_s = max(found.slowest_s, seconds)
    if seconds > LIMIT_S:
        found.failures.append(f"{name}: took {seconds:.1f} s ({outcome})")


def _outcome(data: bytes, name: str, found: Found, original: Graph | None) -> str:
    graph = tflite.read(data, name)
    if checks.unsupported(graph):
        # Models that cannot be run are still looked at.
        json.dumps(inspect(Model("model", data, graph)), allow_nan=False)
    checks.require_supported(graph)
    plan = memory.plan(graph)
    problems = checks.plan_problems(graph, plan)
    if problems:
        found.failures.append(f"{name}: {problems[0]}")
    if original is not None and _same(graph, original):
        return "the same graph"
    if plan.arena_size > MAX_ARENA or _work(graph) > MAX_WORK:
        return "too large to run here"
    found.runnable.append((name, graph, plan))
    return "another graph"


def _same(graph: Graph, original: Graph) -> bool:
    return (graph.tensors, graph.ops, graph.inputs, graph.outputs) == (
        original.tensors, original.ops, original.inputs, original.outputs)


def _work(graph: Graph) -> int:
    """Upper bound of the steps of an inference: every output element of a window sees it all."""
    total = 0
    for op in graph.ops:
        options, size = op.options, sum(t.size for t in graph.outputs_of(op))
        window = getattr(options, "filter_width", 1) * getattr(options, "filter_height", 1)
        total += ops.get(op.kind).macs(graph, op) + size * window + sum(
            t.size for t in graph.inputs_of(op) if t)
    return total


def compile_and_run(runnable: list[tuple[str, Graph, MemoryPlan]], folder: Path,
                    kernels: Path | None = None) -> list[str]:
    """Each graph's C code under ASan and UBSan against reference(): a sentence per failure.

    `kernels` is a folder that keeps the compiled kernels from call to call.
    """
    folder.mkdir(exist_ok=True)
    failures, names, sources = [], [], set()
    for number, (name, graph, plan) in enumerate(runnable):
        code = aot.generate(graph, plan, f"m{number}", "0" * 64, "the fuzzer")
        code.files.write(folder)
        sources |= set(code.sources)
        names.append(code.name)
    (folder / "main.c").write_text(_main(names))
    failures += _build(folder, sorted(sources), kernels or folder / "objects")
    if not failures:
        for number, (name, graph, _) in enumerate(runnable):
            failures += [f"{name}: {text}" for text in _compare(folder, number, graph)]
    return failures


def _build(folder: Path, sources: list[str], objects: Path) -> list[str]:
    """The program `run` in `folder`: the kernels' objects as they are needed, then the models."""
    objects.mkdir(exist_ok=True)
    kernels = [name for name in sources if name.startswith("kernels/")]
    missing = [str(folder / name) for name in kernels
               if not (objects / name).with_suffix(".o").exists()]
    compiled = objects / "kernels"
    compiled.mkdir(exist_ok=True)
    models = [name for name in sources if name not in kernels]
    ready = [str((objects / name).with_suffix(".o")) for name in kernels]
    # The models' own code is calls and tables: optimising it would only cost time.
    for command, where in ((["-O1", "-c", *missing], compiled),
                           (["-O0", "-I.", "main.c", *models, *ready, "-o", "run"], folder)):
        if command[-1] == "-c":
            continue
        result = tools.run(["gcc", "-std=c11", *WARNINGS, *SANITIZE, *command], cwd=where)
        if result.returncode:
            return [result.stderr.decode(errors="replace")[:2000]]
    return []


def _main(names: list[str]) -> str:
    entries = ",\n".join(f"    {{{n}_input_at, {n}_output_at, {n}_invoke}}" for n in names)
    includes = "\n".join(f'#include "{n}.h"' for n in names)
    return _MAIN.replace("@includes@", includes).replace("@entries@", entries)


# run MODEL INPUTS BYTES...: inputs from stdin, outputs to stdout, sample after sample.
_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
@includes@

static const struct {
  void *(*input_at)(int);
  const void *(*output_at)(int);
  int (*invoke)(void);
} models[] = {
@entries@};

int main(int argc, char **argv) {
  const int model = atoi(argv[1]);
  const int inputs = atoi(argv[2]);
  for (;;) {
    for (int i = 0; i < inputs; i++) {
      const size_t size = (size_t)atol(argv[3 + i]);
      if (fread(models[model].input_at(i), 1, size, stdin) != size) {
        return 0;
      }
    }
    if (models[model].invoke() != 0) {
      return 1;
    }
    for (int i = 3 + inputs; i < argc; i++) {
      const size_t size = (size_t)atol(argv[i]);
      if (fwrite(models[model].output_at(i - 3 - inputs), 1, size, stdout) != size) {
        return 1;
      }
    }
  }
}
"""


def _compare(folder: Path, number: int, graph: Graph) -> list[str]:
    """The compiled model on the samples: what the sanitizers say, or where outputs differ."""
    fed = samples(graph, random=3)
    sizes = [graph.tensors[i].nbytes for i in (*graph.inputs, *graph.outputs)]
    result = tools.run([str(folder / "run"), str(number), str(len(graph.inputs)),
                        *map(str, sizes)], input=b"".join(a.tobytes() for s in fed for a in s),
                       env={"ASAN_OPTIONS": "detect_leaks=0"}, timeout_s=120)
    if result.returncode:
        lines = result.stderr.decode(errors="replace").splitlines()
        return [" | ".join([line for line in lines if "rror" in line][:2] or lines[:2])]
    with np.errstate(all="ignore"):
        runs = [reference.run(graph, sample) for sample in fed]
    expected = b"".join(values[i].tobytes() for values in runs for i in graph.outputs)
    if result.stdout == expected:
        return []
    wrong = sum(a != b for a, b in zip(result.stdout, expected, strict=False))
    return [f"{wrong} of {len(expected)} output bytes differ from reference()"]


def fuzz(bases: list[bytes], count: int, compiled: int, seed: int) -> Found:
    """`count` mutants of the bases, `compiled` of the accepted ones compiled and run."""
    found, originals = Found(), [tflite.read(base, "original") for base in bases]
    for number, mutant in enumerate(mutants(bases, count, seed)):
        examine(mutant.data, f"mutant {number} of base {mutant.base}", found,
                originals[mutant.base])
    return _run_sample(found, compiled, seed)


def fuzz_numbers(count: int, compiled: int, seed: int) -> Found:
    """The same for `count` graphs with numbers at their limits."""
    found = Found()
    for number, graph in enumerate(extremes(small_graphs(), count, seed)):
        examine(tflite_writer.write(graph), f"extreme {number} ({graph.ops[0].kind})", found)
    return _run_sample(found, compiled, seed)


def _run_sample(found: Found, compiled: int, seed: int) -> Found:
    chosen = random.Random(seed).sample(found.runnable, min(compiled, len(found.runnable)))
    for start in range(0, len(chosen), BATCH):
        with tempfile.TemporaryDirectory(prefix="edgekit-fuzz-") as folder:
            found.failures += compile_and_run(chosen[start:start + BATCH], Path(folder))
    found.outcomes["compiled and run"] = len(chosen)
    return found


def truncate(bases: list[bytes]) -> Found:
    """Every truncation of each base."""
    found = Found()
    for base, data in enumerate(bases):
        for length, part in enumerate(truncations(data)):
            examine(part, f"base {base} cut at {length}", found)
    return found


def public_models() -> list[bytes]:
    """The .tflite files in EDGEKIT_MODELS, smallest first, up to 100 KB; none without it."""
    folder = os.environ.get("EDGEKIT_MODELS")
    files = sorted(Path(folder).glob("*.tflite")) if folder else []
    return sorted((file.read_bytes() for file in files if file.stat().st_size < 100_000), key=len)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=15_000)
    parser.add_argument("--compiled", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    bases = small_models()
    runs = {"mutants": fuzz(bases, given.count, given.compiled, given.seed),
            "numbers": fuzz_numbers(given.count // 5, 2 * given.compiled, given.seed),
            "truncations": truncate(bases[:3])}
    public = public_models()
    if public:
        runs["mutants of public models"] = fuzz(public, given.count // 5, 0, given.seed)
        runs["truncations of the smallest public model"] = truncate(public[:1])
    for title, found in runs.items():
        print(f"{title}: " + ", ".join(f"{n:,} {what}" for what, n in found.outcomes.most_common())
              + f"; slowest {found.slowest_s:.3f} s")
        for failure in found.failures:
            print(f"  FAILED {failure}")
    return 1 if any(found.failures for found in runs.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
