"""argv -> pipeline -> text or JSON: the only module that prints, and the one that catches."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from edgekit import log
from edgekit.arguments import parser
from edgekit.documents import document, error_document
from edgekit.errors import (BudgetExceeded, DoesNotFit, EdgekitError, Mismatch, Regression,
                            UsageError)
from edgekit.settings import beforehand
from edgekit.settings import load as load_settings
from edgekit.spelling import by_scope

Answer = tuple[dict, EdgekitError | None]


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit codes are those of `errors.py`, 130 for Ctrl-C."""
    argv = sys.argv[1:] if argv is None else argv
    as_json = "--json" in argv
    try:
        arguments = _parsed(argv)
        stop = log.listen(_Progress(arguments.quiet, arguments.verbose))
        try:
            result, failure = _COMMANDS[arguments.command](arguments)
        finally:
            stop()
        _print(result, as_json)
        if failure is not None:
            if not as_json:
                _print_error(failure)
            return failure.exit
        return 0
    except EdgekitError as error:
        if as_json:
            _print_json(error_document(error))
        _print_error(error)
        return error.exit
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parsed(argv: list[str]):
    """The typed words behind those of the environment and of this folder's edgekit.toml."""
    grammar = parser()
    return grammar.parse_args(beforehand(argv, grammar.grammar))


def _print(result: dict, as_json: bool) -> None:
    if as_json:
        _print_json(result)
        return
    from edgekit import text
    print(text.render(result))
    for entry in result["issues"]:
        print(f"{entry['severity']}: {entry['message']}", file=sys.stderr)
        if entry["hint"]:
            print(f"hint: {entry['hint']}", file=sys.stderr)


def _print_json(result: dict) -> None:
    print(json.dumps(result, indent=1, allow_nan=False))


def _print_error(error: EdgekitError) -> None:
    print(f"error: {error.message}", file=sys.stderr)
    for reason in error.reasons[1:] if len(error.reasons) > 1 else ():
        print(f"  also: {reason}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)


class _Progress:
    """What a user sees of long work: a bar on a terminal, steps with -v, else nothing."""

    def __init__(self, quiet: bool, verbose: bool):
        self._bar = sys.stderr.isatty() and not quiet
        self._notes = verbose and not quiet
        self._steps = not quiet

    def __call__(self, event: str, details: dict) -> None:
        if event == "step" and self._steps:
            self._clear()
            print(details["text"], file=sys.stderr, flush=True)
        elif event == "note" and self._notes:
            self._clear()
            print(details["text"], file=sys.stderr, flush=True)
        elif event == "progress" and self._bar:
            self._draw(**details)

    def _clear(self) -> None:
        if self._bar:
            print("\r\033[K", end="", file=sys.stderr)

    def _draw(self, what: str, done: int, total: int, detail: str) -> None:
        filled = 24 * done // max(total, 1)
        bar = "#" * filled + "-" * (24 - filled)
        print(f"\r\033[K{what} [{bar}] {done}/{total} {detail}", end="", file=sys.stderr,
              flush=True)
        if done >= total:
            self._clear()


# One function per command; what a command needs is imported when it runs, so that
# `edgekit --help` and the small commands start at once.

def _demo(a) -> Answer:
    from edgekit.demo import run_demo
    result = run_demo(a.out, fast=a.fast)
    wrong = [v for v in result["validations"] if not v["ok"]]
    return result, Mismatch(f"{result['mismatches']:,} elements differ from TensorFlow Lite Micro; "
                            f"the first: {wrong[0]['first']}", "") if wrong else None


def _inspect(a) -> Answer:
    from edgekit import pipeline
    return pipeline.inspect(a.model), None


def _check(a) -> Answer:
    from edgekit import pipeline
    from edgekit.errors import BadModel
    if a.fix != (a.out is not None):
        raise UsageError("--fix and -o OUT.tflite go together", "the model itself is not changed")
    result = pipeline.check(a.model, a.board, a.runtime, fix_to=a.out)
    kind = {0: None, 1: DoesNotFit, 2: BadModel}[result["exit"]]
    count = len(result["problems"])
    return result, kind and kind(f"{count} problem{'s' * (count > 1)} on {a.board}", "")


_TRAINING = ("data", "validation", "augment", "epochs", "patience", "batch_size", "learning_rate",
             "seed")


def _named(a, *names: str) -> dict:
    """Options of the command line by their names, for a function that has the same ones."""
    return {name: getattr(a, name) for name in names}


def _prune(a) -> Answer:
    from edgekit.compression import prune_file
    return prune_file(a.model, a.out, **_named(
        a, "method", "scope", "rate", "threshold", "granularity", "pattern", "strength",
        *_TRAINING)), None


def _quantize(a) -> Answer:
    from edgekit.compression import quantize_file
    return quantize_file(a.model, a.out, bits=by_scope(a.bits), weights=by_scope(a.weights),
                         **_named(a, "method", "scope", "outside", "levels", "range", "breakpoints",
                                  "dtype", "per_channel", "targets", *_TRAINING)), None


def _slim(a) -> Answer:
    from edgekit.slimming import slim_file
    return slim_file(a.model, a.out, tflm_compress=a.tflm_compress,
                     tflm_plan=a.tflm_plan), None


def _fit(a) -> Answer:
    from edgekit.fitting import fit_file
    from edgekit.search import Budgets
    budgets = Budgets.spelled(a.max_ram, a.max_flash, a.max_latency, a.max_accuracy_loss)
    return fit_file(a.model, a.out, a.board, budgets=budgets,
                    optimize=a.optimize or "balanced", toolchain=a.toolchain,
                    **_named(a, *_TRAINING)), None


def _generate(a) -> Answer:
    from edgekit import pipeline
    return pipeline.generate(a.model, a.board, a.out, runtime=a.runtime, form=a.form, name=a.name,
                             optimize=a.optimize or "balanced", force=a.force), None


def _build(a) -> Answer:
    from edgekit import pipeline
    return pipeline.build(a.project, toolchain=a.toolchain, optimize=a.optimize), None


def _emulate(a) -> Answer:
    import io

    import numpy as np

    from edgekit import output, pipeline
    outputs, result = pipeline.emulate(
        a.source, a.board, input=a.input, runtime=a.runtime, engine=a.engine,
        toolchain=a.toolchain, optimize=a.optimize or "balanced")
    if len(outputs) > 1 and not a.out.endswith(".npz"):
        raise UsageError(f"the model has {len(outputs)} outputs", "give -o with a .npz name")
    buffer = io.BytesIO()
    if a.out.endswith(".npz"):
        np.savez(buffer, **{f"output_{i}": array for i, array in enumerate(outputs)})
    else:
        np.save(buffer, outputs[0])
    output.write_file(a.out, buffer.getvalue())
    return result | {"output": a.out}, None


def _profile(a) -> Answer:
    from edgekit import pipeline
    from edgekit.profiling import over_budget
    result = pipeline.profile(a.source, a.board, runtime=a.runtime, engine=a.engine,
                              toolchain=a.toolchain, optimize=a.optimize or "balanced",
                              target=a.target, baud=a.baud)
    if a.html:
        from edgekit import report
        report.write_html([result], a.html)
    # With both runtimes the budget is the aot row's: the other cannot be measured here.
    judged = result["profiles"][-1] if "profiles" in result else result
    over = over_budget(judged, max_ram=a.max_ram, max_flash=a.max_flash,
                       max_latency_s=a.max_latency)
    if over:
        return result, BudgetExceeded("; ".join(over), "prune the model, or choose another board",
                                      reasons=tuple(over))
    return result, _lock(a, result)


def _lock(a, result: dict) -> EdgekitError | None:
    from edgekit import lock
    path = lock.lock_path(a.source)
    if a.update_lock:
        lock.update(path, result)
    try:
        if a.locked:
            lock.check(path, result)
    except Regression as drift:
        return drift
    return None


def _validate(a) -> Answer:
    from edgekit import fleet, pipeline
    shared = {"data": a.data, "count": a.samples, "runtime": a.runtime,
              "toolchain": a.toolchain, "optimize": a.optimize or "balanced"}
    if a.boards:
        return _judged(fleet.validate_file(a.boards, a.source, **shared), fleet.require_ok)
    result = pipeline.validate(a.source, a.board, target=a.target, engine=a.engine, baud=a.baud,
                               link=a.link, **shared)
    return _judged(result, pipeline.require_ok)


def _judged(result: dict, require_ok: Callable[[dict], None]) -> Answer:
    try:
        require_ok(result)
    except EdgekitError as failure:
        return result, failure
    return result, None


def _compare(a) -> Answer:
    from edgekit.comparison import compare, load_result
    result = compare(load_result(a.before), load_result(a.after), a.fail_on)
    worse = [f"{row['path']} grew from {row['before']:,} to {row['after']:,}"
             for row in result["regressions"]]
    return result, Regression("; ".join(worse), "") if worse else None


def _report(a) -> Answer:
    from edgekit import report
    from edgekit.comparison import load_result
    return report.write_html([load_result(path) for path in a.results], a.out), None


def _boards(a) -> Answer:
    from edgekit.board_list import boards
    return boards(), None


def _flash(a) -> Answer:
    from edgekit.flashing import flash
    return flash(a.source, a.board, port=a.port, baud=a.baud, by=a.by, hello=a.hello,
                 toolchain=a.toolchain), None


def _ports(a) -> Answer:
    from edgekit.port_list import ports
    return ports(), None


def _monitor(a) -> Answer:
    from edgekit.monitoring import lines, monitor_document
    seen = []
    for line in lines(a.port, a.baud, a.seconds):
        seen.append(line)
        if not a.json:
            print(line, flush=True)
    return monitor_document(a.port, seen), None


def _run(a) -> Answer:
    from edgekit.running import steps
    path, grammar = Path(a.project), parser()
    planned = steps(load_settings(path, grammar.grammar), grammar.grammar)
    documents: list[dict] = []
    with contextlib.chdir(path.absolute().parent):
        for argv in planned:
            log.step("edgekit " + " ".join(argv))
            result, failure = _COMMANDS[argv[0]](grammar.parse_args(argv))
            documents.append(result)
            if failure is not None:
                break
    return document("run", project=str(path), steps=documents, ok=failure is None,
                    issues=[one for result in documents for one in result["issues"]]), failure


def _doctor(a) -> Answer:
    from edgekit.diagnosis import doctor
    return doctor(), None


_COMMANDS: dict[str, Callable[..., Answer]] = {
    "demo": _demo, "inspect": _inspect, "check": _check, "prune": _prune, "quantize": _quantize,
    "slim": _slim, "fit": _fit, "generate": _generate, "build": _build, "emulate": _emulate, "profile": _profile,
    "validate": _validate, "compare": _compare, "report": _report, "boards": _boards,
    "doctor": _doctor, "flash": _flash, "ports": _ports, "monitor": _monitor,
    "run": _run,
}
