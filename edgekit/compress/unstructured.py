"""Unstructured pruning: single weights become zero, by magnitude or by an N:M pattern.

The model keeps its shape, and so its size: no runtime here skips zeros. It is the ground for
one that does, and it compresses where the file is packed.
"""

from __future__ import annotations

import re

import numpy as np

from edgekit.compress import masks, walk
from edgekit.compress.finetune import Prepare
from edgekit.compress.masks import Masks
from edgekit.compress.report import LayerReport, Report
from edgekit.compress.scope import select
from edgekit.compress.structure import analyse, rebuild
from edgekit.errors import UsageError
from edgekit.importers.keras import import_keras

METHODS = ("magnitude", "n:m")
SAVES = ("zeros save nothing on tflm, which has no sparse kernels, and nothing on aot, which "
         "computes them like other weights; the .tflite keeps its size. For a smaller model "
         "prune with l1")
RAMP = 0.6  # of the training until all masked weights are zero; the rest of it adapts to that
UPDATES = 40


def sparsify(model, method: str, scope=None, rate: float | None = None,
             threshold: float | None = None, pattern: str | None = None):
    """(flat copy with zeros, Report, Masks): weights set to zero at once, without training.

    `magnitude`: in each layer the smallest |weight|, below `threshold`, at most `rate` of them.
    `n:m`: all but `n` of each `m` neighbouring weights of a filter; pattern "2:4" is the default.
    Raises UsageError for wrong options, BadModel for a model without a graph.
    """
    n, m = _check(method, rate, threshold, pattern)
    flat = rebuild(analyse(model))
    names = set(select(walk.layers_of(model), scope))
    found, notes, layers = {}, [], []
    for name, (kind, kernel) in masks.kernels(flat).items():
        value = np.asarray(kernel)
        if name in names:
            found[name] = (masks.magnitude(value, rate, threshold) if method == "magnitude"
                           else masks.pattern(kind, value, n, m))
        note = _note(value, found.get(name), method, m)
        layers.append((name, kind, value, note))
        notes += [f"{name}: {note}"] if note else []
    if not found:
        raise UsageError(f"the scope has no layer that {method} prunes",
                         "it prunes convolutions and dense layers")
    masks.apply(flat, found)
    after = masks.kernels(flat)
    parameters = model.count_params()
    reports = tuple(LayerReport(name, kind, int(np.count_nonzero(value)),
                                int(np.count_nonzero(np.asarray(after[name][1]))), (), note,
                                "weights") for name, kind, value, note in layers)
    return flat, Report(method, reports, parameters, parameters, (*notes, SAVES)), found


def gradually(final: Masks, method: str) -> Prepare:
    """What `finetune` needs to reach the masks' rates while it trains, along a cubic schedule.

    By magnitude, which weights go is decided anew at each of 40 updates from the weights as they
    are then; the rates are those of `final`. An N:M pattern is `final` from the first step on.
    """
    rates = {name: 1 - float(mask.mean()) for name, mask in final.items()}

    def prepare(model, steps: int) -> list:
        keras = import_keras()
        start = {name: np.ones_like(mask) for name, mask in final.items()}
        change = masks.hold(model, final if method == "n:m" else start)
        end = max(1, int(RAMP * steps))
        every, step = max(1, end // UPDATES), 0

        def begin(batch, logs=None):
            nonlocal step
            step += 1
            if step == 1 or step == end or (step < end and step % every == 0):
                part = masks.polynomial(step, end)
                change({name: masks.magnitude(np.asarray(masks.kernel_of(model.get_layer(name))),
                                              part * rate) for name, rate in rates.items()})

        if method == "n:m":
            return []
        return [keras.callbacks.LambdaCallback(on_train_batch_begin=begin)]

    return prepare


def _check(method: str, rate, threshold, pattern) -> tuple[int, int]:
    """(n, m) of the pattern; the options of a method that it does not have are refused."""
    if method == "n:m":
        if rate is not None or threshold is not None:
            raise UsageError("n:m has no rate and no threshold: the pattern says how many stay",
                             "give --pattern 2:4, or --method magnitude")
        match = re.fullmatch(r"(\d+):(\d+)", pattern or "2:4")
        n, m = map(int, match.groups()) if match else (0, 0)
        if not 0 < n < m <= 32:
            raise UsageError(f"the pattern is '{pattern}'; it must be N:M with 0 < N < M <= 32",
                             "2:4 keeps two of each four weights")
        return n, m
    if pattern is not None:
        raise UsageError("magnitude has no pattern", "give --rate, or --method n:m")
    if rate is None and threshold is None:
        raise UsageError("neither a rate nor a threshold is given", "for example --rate 0.8")
    if rate is not None and not 0 <= rate < 1:
        raise UsageError(f"the rate is {rate}; it must be at least 0 and below 1",
                         "0.8 zeroes four fifths of each layer's weights")
    if threshold is not None and not (np.isfinite(threshold) and threshold >= 0):
        raise UsageError(f"the threshold is {threshold}; it must be a number of at least 0",
                         "it is compared with each |weight|")
    return 0, 0


def _note(value: np.ndarray, mask: np.ndarray | None, method: str, m: int) -> str:
    if mask is None:
        return "not in the scope"
    rest = value.size // value.shape[-1] % m if method == "n:m" and m else 0
    if rest:
        return f"the last {rest} weights of each filter are no group of {m} and stay"
    if method == "magnitude" and mask.sum() == 1 and mask.size > 1:
        return f"every weight is below the threshold; kept the largest, {np.abs(value).max():g}"
    return ""
