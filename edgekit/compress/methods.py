"""Every way to prune, with the training that belongs to it, and the model's cost and accuracy
after each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgekit.compress import prune as structured
from edgekit.compress import unstructured
from edgekit.compress.cost import cost
from edgekit.compress.finetune import evaluate, finetune
from edgekit.compress.recalibrate import recalibrate
from edgekit.compress.regularize import STRENGTH, folded_norms, penalized
from edgekit.compress.report import Report, Step
from edgekit.compress.structure import analyse
from edgekit.data import Data
from edgekit.errors import UsageError

METHODS = (*structured.METHODS, structured.REGULARIZED, *unstructured.METHODS)


@dataclass(frozen=True)
class Training:
    """How to train, and the data to judge by; see `finetune` for the options."""

    data: Data | None
    epochs: int
    options: dict

    def run(self, model, what: str = "fine-tuning", **more):
        """The trained model; itself when there is nothing to train with."""
        if self.data is None or not self.epochs:
            return model
        return finetune(model, self.data, self.epochs, what=what, **self.options, **more)[0]

    def recalibrated(self, model):
        return model if self.data is None else recalibrate(model, self.data)

    def step(self, name: str, model) -> Step:
        """The model's cost now, and its accuracy on the validation data or else the data."""
        judged = self.options.get("validation") or self.data
        has_classes = judged is not None and judged.y is not None and judged.y.ndim == 1 and (
            judged.y.dtype.kind == "i")
        found = cost(model)
        return Step(name, found.parameters, found.nonzero, found.macs, found.int8_bytes,
                    evaluate(model, judged) if has_classes else None)


def prune(model, method: str = "l1", scope: str | Sequence[str | int] | None = None,
          rate: float | None = None, threshold: float | None = None, granularity: int = 1, *,
          pattern: str | None = None, strength: float | None = None, data: Data | None = None,
          epochs: int = 6, seed: int = 0, validation: Data | None = None,
          patience: int | None = None, augment: Any = None, batch_size: int = 64,
          learning_rate: float = 1e-3, deterministic: bool = False):
    """(pruned model, Report with its steps); the given model is not changed.

    `l1`, `l1-filter`, `l1-neuron`: whole filters and neurons go, see `compress.prune.prune`.
    `l1-regularized`: `epochs` of training with a penalty of this `strength` that shrinks whole
    filters, then as l1, judged with BatchNormalization folded in; see `compress.regularize`.
    `magnitude`, `n:m`: single weights become zero, see `compress.unstructured.sparsify`; the
    model does not get smaller.

    With `data`: BatchNormalization is recalibrated after pruning, then the model is fine-tuned
    for `epochs` (0: not at all; magnitude masks grow meanwhile). `validation`, `patience`,
    `augment`, `batch_size`, `learning_rate`, `deterministic`: of `compress.finetune.finetune`.

    Raises UsageError for wrong options, BadData for data that does not suit the model, BadModel
    for a model that is not Sequential or functional.
    """
    if method not in METHODS:
        raise UsageError(f"there is no pruning method '{method}'",
                         f"the methods are {', '.join(METHODS)}")
    if epochs < 0:
        raise UsageError(f"{epochs} epochs: there cannot be fewer than 0", "for example 6")
    if strength is not None and method != structured.REGULARIZED:
        raise UsageError(f"{method} has no strength", "it is of l1-regularized")
    training = Training(data, epochs, {
        "seed": seed, "validation": validation, "patience": patience, "augment": augment,
        "batch_size": batch_size, "learning_rate": learning_rate, "deterministic": deterministic})
    if method in unstructured.METHODS:
        if granularity != 1:
            raise UsageError(f"{method} has no granularity", "it is of l1")
        return _sparse(model, method, scope, rate, threshold, pattern, training)
    if pattern is not None:
        raise UsageError(f"{method} has no pattern", "it is of n:m")
    limits = structured.check_limits(method, rate, threshold, granularity)
    return _smaller(model, method, scope, limits,
                    STRENGTH if strength is None else strength, training)


def _smaller(model, method: str, scope, limits, strength: float, training: Training):
    steps, folded = [training.step("before", model)], None
    if method == structured.REGULARIZED:
        model = _regularized(model, method, scope, strength, training)
        steps.append(training.step("regularized", model))
        folded = folded_norms(model)
    smaller, report = structured.remove(model, method, scope, limits, folded)
    smaller = training.recalibrated(smaller)
    steps.append(training.step("pruned", smaller))
    return _tuned(smaller, report, steps, training)


def _regularized(model, method: str, scope, strength: float, training: Training):
    if training.data is None or not training.epochs:
        raise UsageError(f"{method} prunes by training", "give data and at least one epoch")
    names = {port.name for port in structured.in_scope(analyse(model), method, scope)}
    return training.run(model, "training with the L1 penalty", prepare=penalized(names, strength))


def _sparse(model, method: str, scope, rate, threshold, pattern, training: Training):
    steps = [training.step("before", model)]
    flat, report, found = unstructured.sparsify(model, method, scope, rate, threshold, pattern)
    steps.append(training.step("pruned", training.recalibrated(flat)))
    if training.data is None or not training.epochs:
        return _tuned(training.recalibrated(flat), report, steps, training)
    # From the dense model: the weights that go are chosen as the others adapt.
    return _tuned(model, report, steps, training, prepare=unstructured.gradually(found, method),
                  settled=unstructured.RAMP)


def _tuned(model, report: Report, steps: list[Step], training: Training, **options):
    """The model fine-tuned, where there is data, and the report with that step.

    Weights that an earlier pruning made zero stay zero.
    """
    if training.data is not None and training.epochs:
        model = training.run(model, keep_zeros=True, **options)
        steps = [*steps, training.step("fine-tuned", model)]
    return model, replace(report, steps=tuple(steps))
