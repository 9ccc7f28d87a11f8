"""Structured pruning: take whole filters and neurons away by the L1 norm of their weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.compress import follow, walk
from edgekit.compress.choose import Limits, choose, l1_norms
from edgekit.compress.report import LayerReport, Report
from edgekit.compress.scope import select
from edgekit.compress.structure import Ports, Structure, analyse, kept, rebuild
from edgekit.errors import UsageError

METHODS = {"l1-filter": follow.FILTERS, "l1-neuron": follow.NEURONS,
           "l1": follow.FILTERS | follow.NEURONS}
REGULARIZED = "l1-regularized"


def prune(model, method: str = "l1", scope: str | Sequence[str | int] | None = None,
          rate: float | None = None, threshold: float | None = None, granularity: int = 1):
    """(smaller functional model, Report): filters and neurons with small L1 norms are gone.

    `rate`: the fraction of each layer's filters to remove, the weakest first (rounded down).
    `threshold`: remove filters whose L1 norm, the sum of |weight| over one filter, is below it.
    With both, a filter goes when it is below the threshold, and at most `rate` of a layer goes.
    `granularity`: what is left of a layer is a multiple of it (vector kernels like 4 or 8).

    Filters that a residual addition ties go together: by the sum of their norms, each relative
    to its layer's mean, or when all of them are below the threshold. A layer keeps at least
    its strongest filter. Inputs and outputs of the model never change.

    Raises UsageError for a wrong option or a scope in which nothing can be removed, BadModel
    for a model that is not Sequential or functional. The given model is not changed.
    """
    return remove(model, method, scope, check_limits(method, rate, threshold, granularity))


def remove(model, method: str, scope, limits: Limits,
           folded: dict[str, np.ndarray] | None = None):
    """`prune` with checked limits; `folded`: norms by layer name in place of the kernels' own."""
    structure = analyse(model)
    chosen = in_scope(structure, method, scope)
    choice = choose(structure, chosen, limits, folded)
    smaller = rebuild(structure, choice.removed)
    gone = np.array(sorted(choice.removed), dtype=np.int64)
    layers = tuple(_layer_report(structure, port, gone, choice.notes.get(port.name, ""),
                                 l1_norms(port) if folded is None else folded[port.name])
                   for port in structure.producers())
    notes = tuple(f"{layer.name}: {layer.note}" for layer in layers if layer.note)
    return smaller, Report(method, layers, model.count_params(), smaller.count_params(), notes)


def check_limits(method: str, rate, threshold, granularity) -> Limits:
    """The limits of structured pruning; raises UsageError for a number out of its range."""
    if method not in (*METHODS, REGULARIZED):
        raise UsageError(f"there is no pruning method '{method}'",
                         f"the methods of structured pruning are {', '.join(METHODS)}")
    if rate is None and threshold is None:
        raise UsageError("neither a rate nor a threshold is given", "for example --rate 0.5")
    if rate is not None and not 0 <= rate < 1:
        raise UsageError(f"the rate is {rate}; it must be at least 0 and below 1",
                         "0.5 removes half of each layer")
    if threshold is not None and not (np.isfinite(threshold) and threshold >= 0):
        raise UsageError(f"the threshold is {threshold}; it must be a number of at least 0",
                         "it is compared with the sum of |weight| over a filter")
    if int(granularity) != granularity or granularity < 1:
        raise UsageError(f"the granularity is {granularity}; it must be a whole number from 1",
                         "4 or 8 suit vector kernels")
    return Limits(rate, threshold, int(granularity))


def in_scope(structure: Structure, method: str, scope) -> list[Ports]:
    """Producers that the scope names and the method is for, at least one of them removable."""
    names = set(select(walk.layers_of(structure.model), scope))
    kinds = METHODS.get(method, METHODS["l1"])
    ports = [port for port in structure.producers() if port.name in names and port.kind in kinds]
    if not ports:
        raise UsageError(f"the scope has no layer that {method} prunes",
                         f"it prunes {', '.join(sorted(kinds))}")
    return ports


def _layer_report(structure: Structure, port: Ports, gone, note: str, norms) -> LayerReport:
    keep = kept(structure, port.writes, gone)
    return LayerReport(port.name, port.kind, len(port.writes), len(keep),
                       tuple(int(index) for index in keep), note,
                       unit="neurons" if port.kind in follow.NEURONS else "filters",
                       norms=(float(norms.min()), float(np.median(norms)), float(norms.max())))
