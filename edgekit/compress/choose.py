"""Which channels go: L1 norms against a rate or a threshold, over layers that are tied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.compress.structure import Ports, Structure
from edgekit.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """How much may go; see `prune`."""

    rate: float | None
    threshold: float | None
    granularity: int


@dataclass(frozen=True)
class Choice:
    """Classes of channels to remove, and notes by layer name."""

    removed: frozenset[int]
    notes: dict[str, str]


def l1_norms(port: Ports) -> np.ndarray:
    """Sum of |weight| over each filter or neuron, biases left out; shape (filters,)."""
    kernel = next(weight for weight in port.layer.weights
                  if weight.name in ("kernel", "pointwise_kernel"))
    axis = -2 if port.kind.endswith("Transpose") else -1
    value = np.moveaxis(np.abs(np.asarray(kernel, dtype=np.float64)), axis, -1)
    return value.reshape(-1, value.shape[-1]).sum(axis=0)


def choose(structure: Structure, chosen: list[Ports], limits: Limits,
           folded: dict[str, np.ndarray] | None = None) -> Choice:
    """The classes to remove; `folded`: norms by layer name in place of the kernels' own.

    Raises UsageError when nothing in scope can be removed at all, with the reasons.
    """
    roots = {port.name: structure.labels.find(port.writes) for port in structure.producers()}
    notes: dict[str, str] = {}
    free = _free(structure, chosen, roots, notes)
    if not free:
        reasons = "; ".join(f"{name}: {note}" for name, note in notes.items())
        raise UsageError(f"nothing in the scope can be removed: {reasons}",
                         "widen the scope to the layers it is tied to")
    norms = {port.name: l1_norms(port) if folded is None else folded[port.name]
             for port in chosen}
    scores = _scores(chosen, roots, free, norms)
    removed: set[int] = set()
    for cell in _cells(chosen, roots, free):
        removed |= _from_cell(cell, scores, limits)
    removed -= _strongest_of_emptied(chosen, roots, removed, norms, limits, notes)
    _note_untouched(chosen, norms, limits, notes)
    _note_uneven(structure.producers(), roots, removed, limits, notes)
    return Choice(frozenset(removed), notes)


def _free(structure: Structure, chosen, roots, notes) -> set[int]:
    """Classes that may go: not pinned, and written by no producer outside the scope."""
    inside = {port.name for port in chosen}
    others = {int(root): name for name, array in roots.items() if name not in inside
              for root in array}
    free = set()
    for port in chosen:
        reasons = {root: structure.labels.reason(root) or _tied_outside(others.get(root))
                   for root in map(int, roots[port.name])}
        free.update(root for root, reason in reasons.items() if reason is None)
        stuck = [reason for reason in reasons.values() if reason is not None]
        if stuck:
            share = "kept whole" if len(stuck) == len(reasons) else (
                f"{len(stuck)} of {len(reasons)} cannot go")
            notes[port.name] = f"{share}, because {stuck[0]}"
    return free


def _tied_outside(name: str | None) -> str | None:
    return None if name is None else f"it is tied to '{name}', which is not in the scope"


def _cells(chosen: list[Ports], roots, free: set[int]) -> list[list[int]]:
    """Removable classes that the very same layers write: a rate and a granularity held within
    each cell are held in every layer, however layers are tied to parts of each other."""
    writers: dict[int, list[str]] = {}
    for port in chosen:
        for root in map(int, roots[port.name]):
            if root in free:
                writers.setdefault(root, []).append(port.name)
    cells: dict[tuple[str, ...], list[int]] = {}
    for root, names in writers.items():
        cells.setdefault(tuple(names), []).append(root)
    return list(cells.values())


@dataclass(frozen=True)
class _Score:
    """Of one class: the sum of its norms, each relative to its layer's mean, and the largest."""

    relative: float
    strongest: float


def _scores(chosen: list[Ports], roots, free: set[int], norms) -> dict[int, _Score]:
    scores: dict[int, _Score] = {}
    for port in chosen:
        mean = norms[port.name].mean() or 1.0
        for root, norm in zip(map(int, roots[port.name]), norms[port.name], strict=True):
            if root in free:
                old = scores.get(root, _Score(0.0, 0.0))
                scores[root] = _Score(old.relative + norm / mean, max(old.strongest, norm))
    return scores


def _from_cell(cell: list[int], scores: dict[int, _Score], limits: Limits) -> set[int]:
    """The classes of one cell to remove, the weakest first."""
    ranked = sorted(cell, key=lambda root: (scores[root].relative, root))
    drop = ranked if limits.threshold is None else [
        root for root in ranked if scores[root].strongest < limits.threshold]
    if limits.rate is not None:
        drop = drop[:int(limits.rate * len(ranked) + 1e-9)]
    left = len(ranked) - len(drop)
    whole = min(len(ranked), -(-left // limits.granularity) * limits.granularity)
    return set(drop[:len(ranked) - whole])


def _strongest_of_emptied(chosen, roots, removed, norms, limits: Limits, notes) -> set[int]:
    """The strongest classes of each layer that `removed` would empty, as many as the
    granularity asks for."""
    back: set[int] = set()
    for port in chosen:
        classes = roots[port.name]
        if set(map(int, classes)) <= removed - back:
            best = np.argsort(-norms[port.name], kind="stable")
            back |= set(map(int, classes[best[:limits.granularity]]))
            notes[port.name] = (
                f"every filter's L1 norm is below the threshold {limits.threshold:g}; "
                f"kept the strongest, {norms[port.name].max():g}")
    return back


def _note_untouched(chosen, norms, limits: Limits, notes) -> None:
    """Say which layers have no filter below the threshold, and how far it is away."""
    for port in chosen:
        smallest = norms[port.name].min()
        if limits.threshold is not None and smallest >= limits.threshold:
            notes.setdefault(port.name, f"no filter's L1 norm is below the threshold "
                             f"{limits.threshold:g}; the smallest is {smallest:.4g}")


def _note_uneven(producers, roots, removed: set[int], limits: Limits, notes) -> None:
    """Say which layers, made smaller, are still no multiple of the granularity, and why."""
    for port in producers:
        left = int((~np.isin(roots[port.name], sorted(removed))).sum())
        if left < len(port.writes) and left % limits.granularity:
            notes.setdefault(port.name, f"{left} is no multiple of {limits.granularity}: parts of "
                             "it are tied to layers whose own counts are none")
