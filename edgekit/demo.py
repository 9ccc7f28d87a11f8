"""The demo: real images, a training, and firmware for three boards proven on this PC.

The model, its data and its training are examples/mnist; everything after it is the pipeline
that every user has. `--fast` starts from a small int8 model that comes with the example.
"""

from __future__ import annotations

import importlib
import platform
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgekit import log, output, pipeline, report, resources, samples, targets, tools
from edgekit.board import Board, load_board
from edgekit.compression import int8_accuracy
from edgekit.data import Data, make
from edgekit.documents import document, issue
from edgekit.emulators import native, tflm_host
from edgekit.errors import BuildFailed
from edgekit.golden import Golden
from edgekit.macs import model_section
from edgekit.model import Model, model_of
from edgekit.project import compose, model_code
from edgekit.validation import validate, verdict_document

# Images through the emulated firmware of each board, and through native code on this PC.
EMULATED_IMAGES, NATIVE_IMAGES = {"nucleo_l4r5zi": 100, "esp32c3": 20, "raspberry_pi_4": 20}, 1000
_NOTES = {"esp32c3": "a bare RV32IMC build; ESP-IDF's own start-up and drivers come on top"}


@dataclass
class _Steps:
    """The seconds of each step, told as they end."""

    done: list[dict] = field(default_factory=list)
    begun: float = field(default_factory=time.perf_counter)

    @contextmanager
    def step(self, name: str):
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        self.done.append({"name": name, "seconds": round(seconds, 2)})
        log.step(f"{seconds:6.1f} s  {name}")

    @property
    def seconds(self) -> float:
        return round(time.perf_counter() - self.begun, 2)


def run_demo(out, *, fast: bool = False) -> dict:
    """All of it; projects, models and the report go below the folder `out`. `edgekit.demo`."""
    steps, out = _Steps(), Path(out)
    found = _fast(steps) if fast else _trained(steps, out)
    model, test, facts = found
    accuracy = facts["accuracy"]
    golden = "TensorFlow Lite Micro" if tflm_host.available() else "the reference"
    with steps.step(f"ran {golden} on {len(test)} test images"):
        accuracy["int8"] = int8_accuracy(model, test)
        accuracy["samples"] = len(test)
    boards = [load_board(name) for name in EMULATED_IMAGES]
    _generate(steps, model, boards, out)
    issues = _compile_tflm(steps, model, boards, out)
    profiles = [_profile(steps, model, board) for board in boards]
    validations = [_validate(steps, model, board, test, "emulator", EMULATED_IMAGES[board.name])
                   for board in boards]
    if native.available():
        validations.append(_validate(steps, model, boards[0], test, "native", NATIVE_IMAGES))
    else:
        issues.append(issue("no_native", "there is no C compiler for this PC: native code was not "
                            "run", "install gcc, or pip install ziglang"))
    result = _document(steps, model, facts, profiles, validations, issues, out)
    report.write_html([result], result["report"])
    return result


def _example(name: str):
    """A module of examples/mnist."""
    folder = str(resources.folder("examples") / "mnist")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def _fast(steps: _Steps) -> tuple[Model, Data, dict]:
    folder = resources.folder("examples") / "mnist"
    with steps.step("read the example's int8 model and its test images"):
        data = (folder / "digits_int8.tflite").read_bytes()
        with np.load(folder / "digits_test.npz") as stored:
            test = make(stored["x"].astype(np.float32) / 255, stored["y"], source="digits_test.npz")
        model = model_of(data, "digits")
    return model, test, {"accuracy": {"float": None, "pruned": None}, "weights": None}


def _trained(steps: _Steps, out: Path) -> tuple[Model, Data, dict]:
    with steps.step("started TensorFlow and read MNIST-5k"):
        train, tune = _example("train"), importlib.import_module("edgekit.compress.finetune")
        pruning = importlib.import_module("edgekit.compress.prune")
        quantizing = importlib.import_module("edgekit.compress.quantize")
        data = _example("data")
        digits = make(*data.train(), source="MNIST-5k")
        test = make(*data.test(), source="MNIST-5k test")
    with steps.step("trained a depthwise-separable CNN on 4,000 images"):
        dense = train.train()
    with steps.step("pruned half of the filters and neurons, and fine-tuned"):
        pruned, _ = pruning.prune(dense, rate=0.5)
        pruned, _ = tune.finetune(pruned, digits, train.TUNE_EPOCHS, train.SEED,
                                  learning_rate=train.TUNE_RATE)
    with steps.step("quantized both to int8"):
        before = model_of(quantizing.quantize(dense, digits), "mnist_dense")
        model = model_of(quantizing.quantize(pruned, digits), "mnist")
    accuracy = {"float": tune.evaluate(dense, test), "pruned": tune.evaluate(pruned, test)}
    output.write_file(out / "mnist.tflite", model.data)
    dense_bytes, pruned_bytes = _weight_bytes(before), _weight_bytes(model)
    return model, test, {"accuracy": accuracy, "weights": {
        "unpruned_int8": dense_bytes, "pruned_int8": pruned_bytes,
        "ratio": round(pruned_bytes / dense_bytes, 4)}}


def _weight_bytes(model: Model) -> int:
    """Bytes of the int8 weights, without biases."""
    return sum(t.nbytes for t in model.graph.tensors if t.is_constant and t.dtype.value == "int8")


def _generate(steps: _Steps, model: Model, boards: list[Board], out: Path) -> None:
    with steps.step(f"generated aot and tflm projects for {len(boards)} boards below {out}"):
        for board in boards:
            for runtime in ("aot", "tflm"):
                code = model_code(model, board, runtime)
                output.write_project(compose(model, code, board),
                                     out / f"{board.name}_{runtime}", force=True)


def _compile_tflm(steps: _Steps, model: Model, boards: list[Board], out: Path) -> list[dict]:
    """The tflm projects' C++ as objects for this PC, against declarations of TFLite Micro's API.

    Firmware needs TFLite Micro's own sources, which no package carries; that every call in the
    generated code exists, with its types and counts, a compiler can tell without them.
    """
    compiler = _cxx()
    if compiler is None:
        return [issue("tflm_not_compiled", "there is no C++ compiler: the tflm projects were "
                      "generated, not compiled", "pip install ziglang")]
    declarations = str(resources.folder(resources.TFLM_DECLARATIONS))
    with (steps.step(f"compiled the C++ of {len(boards)} tflm projects against TFLite Micro's "
                     "API"), tempfile.TemporaryDirectory() as objects):
        for board in boards:
            folder = out / f"{board.name}_tflm"
            for source in sorted(folder.rglob(f"{model.name}*.cc")):
                done = tools.run([*compiler, "-std=c++17", "-fno-rtti", "-fno-exceptions", "-c",
                                  "-I", str(source.parent), "-I", declarations, str(source),
                                  "-o", f"{objects}/object.o"])
                if done.returncode:
                    raise BuildFailed(f"{source} does not compile: "
                                      f"{done.stderr.decode(errors='replace')[:300]}")
    return []


def _cxx() -> list[str] | None:
    for program in ("c++", "g++", "clang++"):
        if path := tools.find(program):
            return [path]
    path = tools.find("zig")
    # musl's headers come with zig and nothing is linked, so no C library has to be built.
    return [path, "c++", "-target", f"{platform.machine()}-linux-musl"] if path else None


def _profile(steps: _Steps, model: Model, board: Board) -> dict:
    name = (f"built the firmware for {board.title} and ran it on the emulated board"
            if targets.choose_engine(board, "auto") == "unicorn" else
            f"planned the memory for {board.title}; without compiler and emulator no more is known")
    with steps.step(name):
        return pipeline.profile(model, board.name, runtime="aot")


def _validate(steps: _Steps, model: Model, board: Board, test: Data, target: str,
              count: int) -> dict:
    taken = samples.from_array(test.x[:count], model.graph)
    engine = targets.choose_engine(board, "native" if target == "native" else "auto")
    where = {"native": "this PC, as native code", "unicorn": f"the emulated {board.title}"}.get(
        engine, f"the {engine} engine")
    with steps.step(f"compared {len(taken)} images byte by byte on {where}"):
        with targets.open_link(model, board, target=target) as link:
            verdict = validate(model, link, taken, test.y[:count], Golden(model),
                               targets.graph_behind(link, model))
    return verdict_document(verdict, model, board.name, "aot")


def _document(steps: _Steps, model: Model, facts: dict, profiles: list[dict],
              validations: list[dict], issues: list[dict], out: Path) -> dict:
    accuracy, weights = facts["accuracy"], facts["weights"]
    mismatches = sum(v["mismatches"] for v in validations)
    table = []
    for profile, validation in zip(profiles, validations):
        board = load_board(profile["board"])
        notes = [entry["message"] for entry in profile["issues"] if entry["code"] == "emulated_as"]
        table.append({**profile, "core": board.cpu.core,
                      "mismatches": validation["mismatches"],
                      "note": _NOTES.get(board.name) or (notes[0] if notes else "")})
    issues = issues + [entry for part in (*validations, *profiles) for entry in part["issues"]
                       if entry["severity"] != "info"]
    issues = [entry for i, entry in enumerate(issues) if entry not in issues[:i]]
    summary = {f"accuracy {key}": f"{value:.2%}" for key, value in accuracy.items()
               if isinstance(value, float)}
    if weights:
        summary["int8 weights"] = (f"{weights['unpruned_int8']:,} -> {weights['pruned_int8']:,} "
                                   f"bytes ({weights['ratio']:.1%})")
    summary["compared with"] = validations[0]["golden"]
    summary["mismatching elements"] = (f"{mismatches} of "
                                       f"{sum(v['elements'] for v in validations):,}")
    return document("demo", steps=steps.done, seconds=steps.seconds, accuracy=accuracy,
                    weights=weights, profiles=profiles, validations=validations, table=table,
                    summary=summary, mismatches=mismatches, report=str(out / "report.html"),
                    model=model_section(model.graph, model.name, model.sha256), issues=issues)
