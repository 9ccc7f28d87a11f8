"""Which channels go: L1 norms against a rate or a threshold, over layers that are tied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.compress import follow
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


def choose(structure: Structure, chosen: list[Ports], limits: Limits) -> Choice:
    """The classes to remove, group by group of tied layers.

    Raises UsageError when nothing in scope can be removed at all, with the reasons.
    """
    roots = {port.name: structure.labels.find(port.writes) for port in structure.producers()}
    notes: dict[str, str] = {}
    free = _free(structure, chosen, roots, notes)
    if not free:
        reasons = "; ".join(f"{name}: {note}" for name, note in notes.items())
        raise UsageError(f"nothing in the scope can be removed: {reasons}",
                         "widen the scope to the layers it is tied to")
    removed: set[int] = set()
    for group in _groups(chosen, roots, free):
        removed |= _from_group(group, roots, free, limits, notes)
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


def _groups(chosen: list[Ports], roots, free: set[int]) -> list[list[Ports]]:
    """Layers that share a removable class, directly or through others."""
    groups: list[tuple[set[int], list[Ports]]] = []
    for port in chosen:
        mine = {int(root) for root in roots[port.name]} & free
        if not mine:
            continue
        touching = [group for group in groups if group[0] & mine]
        groups = [group for group in groups if not group[0] & mine]
        members = [member for group in touching for member in group[1]]
        groups.append((mine.union(*(group[0] for group in touching)), [*members, port]))
    return [members for _, members in groups]


def _from_group(group: list[Ports], roots, free, limits: Limits, notes) -> set[int]:
    """The classes of one group to remove."""
    score: dict[int, float] = {}
    strongest: dict[int, float] = {}
    for port in group:
        norms = l1_norms(port)
        mean = norms.mean() or 1.0
        for root, norm in zip(map(int, roots[port.name]), norms, strict=True):
            if root in free:
                score[root] = score.get(root, 0.0) + norm / mean
                strongest[root] = max(strongest.get(root, 0.0), norm)
    ranked = sorted(score, key=lambda root: (score[root], root))
    drop = ranked if limits.threshold is None else [
        root for root in ranked if strongest[root] < limits.threshold]
    if limits.rate is not None:
        drop = drop[:int(limits.rate * len(ranked) + 1e-9)]
    drop = _keep_one(group, roots, drop, strongest, limits, notes)
    left = len(ranked) - len(drop)
    whole = min(len(ranked), -(-left // limits.granularity) * limits.granularity)
    return set(drop[:len(ranked) - whole])


def _keep_one(group, roots, drop, strongest, limits: Limits, notes) -> list[int]:
    """`drop` without the strongest class of any layer that it would empty."""
    for port in group:
        classes = {int(root) for root in roots[port.name]}
        if classes <= set(drop):
            best = max(sorted(classes), key=lambda root: strongest[root])
            drop = [root for root in drop if root != best]
            notes[port.name] = (f"every filter's L1 norm is below the threshold "
                                f"{limits.threshold:g}; kept the strongest, {strongest[best]:g}")
    return drop
