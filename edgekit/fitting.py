"""Fit a Keras model to a board: the smallest structured pruning that meets the budgets.

What a model costs on a board depends on its shapes, not on its training. So rates are tried
on untrained prunings first, each measured by `profile` on the emulated board, by bisection;
only the rate that meets the budgets is fine-tuned, and judged by its accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgekit import log, output, pipeline
from edgekit.compression import int8_accuracy
from edgekit.data import Data, load
from edgekit.documents import document
from edgekit.errors import BadData, DoesNotFit, UsageError
from edgekit.macs import model_section
from edgekit.model import Model, model_of
from edgekit.profiling import over_budget
from edgekit.runtimes.header import name_from

# Rates are multiples of 1/STEPS; beyond HIGHEST there is nothing left of most layers.
STEPS, HIGHEST = 32, 30
HELD_OUT = 5  # every fifth sample judges the accuracy and is not trained on


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits, None where there is none: bytes, bytes, seconds, and a fraction of the samples."""

    max_ram: int | None = None
    max_flash: int | None = None
    max_latency_s: float | None = None
    max_accuracy_loss: float = 0.01

    def over(self, profile: dict) -> list[str]:
        return over_budget(profile, max_ram=self.max_ram, max_flash=self.max_flash,
                           max_latency_s=self.max_latency_s)


def fit_file(source, out, board: str, data, budgets: Budgets, *, epochs: int = 10,
             seed: int = 0) -> dict:
    """Fit a Keras file and save the int8 .tflite; `edgekit.fit`.

    DoesNotFit names the nearest miss, and nothing is written then.
    """
    if not str(out).endswith(".tflite"):
        raise UsageError(f"{out}: the fitted model is saved as .tflite", "give -o OUT.tflite")
    from edgekit.importers.keras import input_shapes
    from edgekit.importers.keras import load as load_keras
    model = load_keras(source)
    samples = load(data, input_shapes(model))
    fitted, result = fit(model, board, samples, budgets, name=name_from(Path(out).stem),
                         epochs=epochs, seed=seed)
    output.write_file(Path(out), fitted.data)
    return result | {"output": str(out)}


def fit(model, board: str, data: Data, budgets: Budgets, *, name: str = "model",
        epochs: int = 10, seed: int = 0) -> tuple[Model, dict]:
    """(the int8 model that meets the budgets on `board`, `edgekit.fit`)."""
    if (budgets.max_ram, budgets.max_flash, budgets.max_latency_s) == (None, None, None):
        raise UsageError("there is nothing to fit to", "give --max-ram, --max-flash or "
                         "--max-latency")
    if data.y is None or data.y.ndim != 1:
        raise BadData(f"{data.source}: it has no class labels", "fit judges the accuracy by them")
    train, held = _split(data)
    search = _Search(model, board, train, budgets, name)
    whole = search.measure(0)
    accuracy = int8_accuracy(whole.model, held)
    log.step(f"unpruned: {_costs(whole.profile)}, int8 accuracy {accuracy:.2%}")
    if not budgets.over(whole.profile):
        return whole.model, _document(search, board, budgets, whole, whole, accuracy, accuracy)
    chosen = search.smallest()
    tuned, tuned_accuracy = _tuned(chosen, train, held, name, epochs, seed)
    loss = accuracy - tuned_accuracy
    if loss > budgets.max_accuracy_loss:
        raise DoesNotFit(
            f"the budgets need a pruning of {chosen.rate:.0%}, which loses {loss:.2%} of accuracy "
            f"({accuracy:.2%} to {tuned_accuracy:.2%}); the limit is "
            f"{budgets.max_accuracy_loss:.2%}",
            "allow more with --max-accuracy-loss, train longer with --epochs, or loosen a budget")
    # The weights changed since it was measured: the numbers that are printed are the tuned one's.
    final = _Tried(chosen.rate, tuned, search.profile(tuned), chosen.pruned, chosen.layers)
    return tuned, _document(search, board, budgets, whole, final, accuracy, tuned_accuracy)


@dataclass(frozen=True, slots=True)
class _Tried:
    """One rate: its int8 model, the profile, the pruned Keras model and what was removed."""

    rate: float
    model: Model
    profile: dict
    pruned: object
    layers: tuple


class _Search:
    """Measures rates on the emulated board, each once."""

    def __init__(self, model, board: str, train: Data, budgets: Budgets, name: str):
        self._keras, self._board, self._train = model, board, train
        self._budgets, self._name = budgets, name
        self.tried: dict[int, _Tried] = {}

    def profile(self, model: Model) -> dict:
        return pipeline.profile(model, self._board, runtime="aot")

    def measure(self, step: int) -> _Tried:
        if step not in self.tried:
            from edgekit.compress.prune import prune
            from edgekit.compress.quantize import quantize
            rate, pruned, layers = step / STEPS, self._keras, ()
            if step:
                pruned, report = prune(self._keras, rate=rate)
                layers = report.layers
            int8 = model_of(quantize(pruned, self._train), self._name)
            self.tried[step] = _Tried(rate, int8, self.profile(int8), pruned, layers)
            if step:
                log.step(f"pruned {rate:6.1%}: {_costs(self.tried[step].profile)}")
        return self.tried[step]

    def smallest(self) -> _Tried:
        """The smallest rate within the budgets: costs fall with the rate, so bisection finds it."""
        most = self.measure(HIGHEST)
        over = self._budgets.over(most.profile)
        if over:
            raise DoesNotFit(f"pruned by {most.rate:.0%} the model is still over budget: {over[0]}",
                             "choose a larger board or a smaller network")
        low, high = 0, HIGHEST
        while high - low > 1:
            middle = (low + high) // 2
            fits = not self._budgets.over(self.measure(middle).profile)
            low, high = (low, middle) if fits else (middle, high)
        return self.tried[high]


def _split(data: Data) -> tuple[Data, Data]:
    """(training samples, held-out samples): of each class every fifth is held out."""
    held = np.zeros(len(data.y), bool)
    for label in np.unique(data.y):
        held[np.flatnonzero(data.y == label)[HELD_OUT - 1::HELD_OUT]] = True
    if not held.any() or held.all():
        raise BadData(f"{data.source}: {len(data.y)} samples are too few",
                      f"give at least {HELD_OUT} of each class")
    return data.rows(~held), data.rows(held)


def _tuned(chosen: _Tried, train: Data, held: Data, name: str, epochs: int,
           seed: int) -> tuple[Model, float]:
    """The pruning fine-tuned and quantized again, and its int8 accuracy."""
    from edgekit.compress.finetune import finetune
    from edgekit.compress.quantize import quantize
    tuned, _ = finetune(chosen.pruned, train, epochs, seed, learning_rate=3e-3)
    model = model_of(quantize(tuned, train), name)
    accuracy = int8_accuracy(model, held)
    log.step(f"fine-tuned at {chosen.rate:.1%}: int8 accuracy {accuracy:.2%}")
    return model, accuracy


def _costs(profile: dict) -> str:
    """The numbers of a profile in one line; what is not known is left out."""
    time, latency = profile["time"], profile["time"]["latency_s"]
    parts: list[tuple[str, object, Callable]] = [
        ("RAM", profile["ram"]["total"], "{:,} bytes".format),
        ("flash", profile["flash"]["total"], "{:,} bytes".format),
        ("instructions", time["instructions"], "{:,}".format),
        ("latency", latency[1] if latency else None, "at most {:.4g} s (estimated)".format)]
    return ", ".join(f"{what} {spell(value)}" for what, value, spell in parts if value is not None)


def _document(search: _Search, board: str, budgets: Budgets, before: _Tried, after: _Tried,
              accuracy_before: float, accuracy_after: float) -> dict:
    return document(
        "fit", board=board, rate=after.rate, budgets=asdict(budgets),
        model=model_section(after.model.graph, after.model.name, after.model.sha256),
        layers=[{"name": layer.name, "kind": layer.kind, "before": layer.before,
                 "after": layer.after} for layer in after.layers],
        accuracy={"before": accuracy_before, "after": accuracy_after,
                  "loss": accuracy_before - accuracy_after},
        before=before.profile, after=after.profile,
        tried=[{"rate": tried.rate, "costs": _costs(tried.profile),
                "fits": not budgets.over(tried.profile)}
               for _, tried in sorted(search.tried.items())],
        issues=after.profile["issues"])
