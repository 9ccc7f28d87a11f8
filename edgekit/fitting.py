"""Fit a Keras model to a board: the smallest structured pruning that meets the budgets, then bits.

`search` tells which points are worth training, from untrained models that are measured by
`profile` on the emulated board. Each is then pruned, fine-tuned, quantized, measured again and
judged by its int8 accuracy; the first that loses no more than allowed is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit import log, output, pipeline
from edgekit.compression import int8_accuracy, layer_fidelity
from edgekit.data import Data, check, load
from edgekit.documents import document, issue
from edgekit.errors import BadData, DoesNotFit, UsageError
from edgekit.macs import model_section
from edgekit.model import Model, model_of
from edgekit.runtimes.header import name_from
from edgekit.search import Budgets, Point, Search

HELD_OUT = 5  # every fifth sample judges the accuracy and is not trained on
RATE = 3e-3  # of Adam: a pruned model has far to go


@dataclass(frozen=True)
class Judged:
    """A point, trained: its int8 model, the profile of that, and its accuracies.

    `report`: `compress.report.Report` of the pruning, None where nothing was pruned.
    `layers`: the signal-to-noise ratio of each operator, against `against`.
    """

    point: Point
    model: Model
    profile: dict
    accuracy: float
    report: Any = None
    layers: tuple[dict, ...] = ()
    against: str | None = None


def fit_file(source, out, board: str, data, budgets: Budgets, *, validation=None,
             augment: str | None = None, **options) -> dict:
    """Fit a Keras file and save the int8 .tflite; `edgekit.fit`.

    `options` are those of `fit`. DoesNotFit names the nearest miss, and nothing is written then.
    """
    if not str(out).endswith(".tflite"):
        raise UsageError(f"{out}: the fitted model is saved as .tflite", "give -o OUT.tflite")
    from edgekit.compress import augment as augmenting
    from edgekit.importers.keras import input_shapes
    from edgekit.importers.keras import load as load_keras
    model = load_keras(source)
    taken, judged = (None if name is None else load(name, input_shapes(model))
                     for name in (data, validation))
    fitted, result = fit(model, board, taken, budgets, name=name_from(Path(out).stem),
                         validation=judged, deterministic=True,
                         augment=augmenting.load(augment) if augment else None, **options)
    output.write_file(Path(out), fitted.data)
    return result | {"output": str(out)}


def fit(model, board: str, data: Data, budgets: Budgets, *, name: str = "model",
        validation: Data | None = None, optimize: str = "balanced", toolchain: str = "auto",
        profile: Callable[[Model, str], dict] | None = None, **training) -> tuple[Model, dict]:
    """(the int8 model that meets the budgets on `board`, `edgekit.fit`).

    The accuracy is judged on `validation`, or else on a fifth of `data` that is not trained on.
    Models with codebooks are measured with `optimize` size, which packs them. `profile(model,
    optimize)` measures, by default on the emulated board. `training`: options of
    `compress.methods.prune`. Raises DoesNotFit with the nearest miss.
    """
    if budgets.empty:
        raise UsageError("there is nothing to fit to", "give --max-ram, --max-flash or "
                         "--max-latency")
    train, held = _split(model, data, validation)
    profile = profile or (lambda tried, way: pipeline.profile(
        tried, board, runtime="aot", optimize=way, toolchain=toolchain))
    work = _Work(model, train, held, name, optimize, profile, training)
    whole = work.whole()
    budgets = budgets.absolute(whole.profile)
    misses: list[tuple[Judged, str]] = []
    found, search = whole, Search(work.score, budgets)
    if budgets.over(whole.profile):
        found, search = _first_good(work, search, budgets, whole.accuracy, misses)
    result = _document(board, budgets, whole, found, search, misses, held, optimize)
    if validation is None:
        result["issues"].append(issue(
            "held_out", "the accuracy is that on a fifth of the data, which the fine-tuning has not "
            "seen; where the model was trained with it, 'before' is too high and so is the loss",
            "give --validation with samples that no training has seen"))
    return found.model, result


def _first_good(work: _Work, search: Search, budgets: Budgets, before: float,
                misses: list) -> tuple[Judged, Search]:
    """The first candidate that is good when trained; DoesNotFit tells the nearest miss."""
    for point in search.candidates():
        judged = work.judged(point)
        over = budgets.over(judged.profile)  # the weights changed since it was scored
        if not over and before - judged.accuracy <= budgets.max_accuracy_loss + 1e-9:
            return judged, search
        misses.append((judged, over[0] if over else "loses too much"))
    nearest = max((miss for miss, _ in misses), key=lambda miss: miss.accuracy)
    raise DoesNotFit(
        f"the budgets need {nearest.point.name}, which loses {before - nearest.accuracy:.2%} of "
        f"accuracy ({before:.2%} to {nearest.accuracy:.2%}); the limit is "
        f"{budgets.max_accuracy_loss:.2%}",
        f"{_cuts(nearest)}: allow more with --max-accuracy-loss, train longer with --epochs, or "
        "loosen a budget", reasons=tuple(
            f"{miss.point.name}: int8 accuracy {miss.accuracy:.2%}, {why}; "
            f"{costs(miss.profile)}" for miss, why in misses))


@dataclass(frozen=True)
class _Work:
    """Prunes, trains, quantizes and measures points of one search."""

    keras: Any
    train: Data
    held: Data
    name: str
    optimize: str
    profile: Callable[[Model, str], dict]
    training: Mapping

    def whole(self) -> Judged:
        """The model as it is, in int8."""
        int8 = self._quantized(self.keras, None)
        profile = self.profile(int8, self.optimize)
        judged = Judged(Point(0, None, profile, ()), int8, profile,
                        int8_accuracy(int8, self.held))
        log.step(f"unpruned: {costs(judged.profile)}, int8 accuracy {judged.accuracy:.2%}")
        return judged

    def score(self, step: int, bits: int | None) -> dict:
        """What an untrained point costs."""
        from edgekit.compress.prune import prune
        point = Point(step, bits, {}, ())
        smaller = prune(self.keras, rate=point.rate)[0] if step else self.keras
        profile = self.profile(self._quantized(smaller, bits), self._way(bits))
        log.step(f"{point.name}: {costs(profile)}")
        return profile

    def judged(self, point: Point) -> Judged:
        """A point, fine-tuned, quantized and measured."""
        from edgekit.compress.methods import prune
        options = {"epochs": 10, "learning_rate": RATE} | dict(self.training)
        smaller, report = prune(self.keras, rate=point.rate, data=self.train,
                                validation=self.held, **options)
        found = self._found(smaller, point.bits, None if point.bits else 0)
        int8 = model_of(found.content, self.name)
        layers, against, _ = layer_fidelity(found, int8, self.train)
        judged = Judged(point, int8, self.profile(int8, self._way(point.bits)),
                        int8_accuracy(int8, self.held), report, tuple(layers), against)
        log.step(f"{point.name}, fine-tuned: {costs(judged.profile)}, int8 accuracy "
                 f"{judged.accuracy:.2%}")
        return judged

    def _way(self, bits: int | None) -> str:
        return "size" if bits else self.optimize

    def _quantized(self, model, bits: int | None) -> Model:
        return model_of(self._found(model, bits, 0).content, self.name)

    def _found(self, model, bits: int | None, epochs: int | None):
        """`compress.quantize.Quantized`; `epochs` of tuning codebooks, None for the default."""
        from edgekit.compress.quantize import quantized
        from edgekit.compress.tune import Training
        return quantized(model, self.train, Training(epochs, self.training.get("seed", 0)),
                         method="kmeans" if bits else "linear", bits=bits)


def _split(model, data: Data, validation: Data | None) -> tuple[Data, Data]:
    """(training samples, judging samples): of each class every fifth judges, if nothing else."""
    from edgekit.importers.keras import input_shapes
    shape = tuple(model.outputs[0].shape[1:])
    for part in filter(None, (data, validation)):
        if part.y is None or part.y.ndim != 1 or part.y.dtype != np.int64:
            raise BadData(f"{part.source}: it has no class labels", "fit judges the accuracy by them")
        check(part, input_shapes(model), classes=shape[-1] if shape else 1)
    if validation is not None:
        return data, validation
    held = np.zeros(len(data), bool)
    for label in np.unique(data.y):
        held[np.flatnonzero(data.y == label)[HELD_OUT - 1::HELD_OUT]] = True
    if not held.any():
        raise BadData(f"{data.source}: {len(data)} samples are too few",
                      f"give at least {HELD_OUT} of each class, or --validation")
    return data.rows(~held), data.rows(held)


def costs(profile: dict) -> str:
    """The numbers of a profile in one line; what is not known is left out."""
    time, latency = profile["time"], profile["time"]["latency_s"]
    parts: list[tuple[str, object, Callable]] = [
        ("RAM", profile["ram"]["total"], "{:,} bytes".format),
        ("flash", profile["flash"]["total"], "{:,} bytes".format),
        ("instructions", time["instructions"], "{:,}".format),
        ("latency", latency[1] if latency else None, "at most {:.4g} s (estimated)".format)]
    return ", ".join(f"{what} {spell(value)}" for what, value, spell in parts if value is not None)


def _cuts(judged: Judged) -> str:
    """What was removed from each layer, in one line."""
    return ", ".join(f"'{layer.name}' {layer.before} -> {layer.after}"
                     for layer in judged.report.layers if layer.after < layer.before) or (
        "no layer was pruned")


def _document(board: str, budgets: Budgets, before: Judged, after: Judged, search: Search,
              misses: list[tuple[Judged, str]], held: Data, optimize: str) -> dict:
    report = after.report
    return document(
        "fit", board=board, rate=after.point.rate, bits=after.point.bits, budgets=asdict(budgets),
        optimize="size" if after.point.bits else optimize,
        model=model_section(after.model.graph, after.model.name, after.model.sha256),
        layers=[{"name": layer.name, "kind": layer.kind, "before": layer.before,
                 "after": layer.after, "note": layer.note} for layer in report.layers]
        if report else [],
        steps=[asdict(step) for step in report.steps] if report else [],
        fidelity=list(after.layers), against=after.against,
        accuracy={"before": before.accuracy, "after": after.accuracy,
                  "loss": before.accuracy - after.accuracy, "samples": len(held),
                  "on": held.source},
        before=before.profile, after=after.profile,
        tried=[{"rate": point.rate, "bits": point.bits, "costs": costs(point.profile),
                "fits": not point.over} for _, point in sorted(
                    search.tried.items(), key=lambda item: (-(item[0][1] or 8), item[0][0]))],
        misses=[{"rate": miss.point.rate, "bits": miss.point.bits, "accuracy": miss.accuracy,
                 "why": why} for miss, why in misses],
        issues=list(after.profile["issues"]))
