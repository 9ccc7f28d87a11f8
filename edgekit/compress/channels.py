"""Labels for channels: which channels of a model live and die together.

Every channel that a layer produces gets a label. A tensor's last axis is then an array of
labels, and each operator is a rule on such arrays: concatenation concatenates, Flatten
tiles, a residual Add ties the labels it adds. Removing a channel is removing all that is
tied to it, wherever it went; no offset is ever computed.
"""

from __future__ import annotations

import numpy as np


class Labels:
    """Equivalence classes of channel labels; a pinned class cannot be removed."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._pinned: dict[int, str] = {}

    def fresh(self, count: int) -> np.ndarray:
        """`count` new labels, each a class of its own."""
        start = len(self._parent)
        self._parent.extend(range(start, start + count))
        return np.arange(start, start + count)

    def find(self, labels: np.ndarray) -> np.ndarray:
        """The class of each label."""
        return np.array([self._root(int(label)) for label in labels], dtype=np.int64)

    def tie(self, left: np.ndarray, right: np.ndarray) -> None:
        """Make classes of equally long label arrays one, element by element."""
        for a, b in zip(left, right, strict=True):
            a, b = self._root(int(a)), self._root(int(b))
            if a != b:
                keep, gone = min(a, b), max(a, b)
                self._parent[gone] = keep
                if gone in self._pinned:
                    self._pinned.setdefault(keep, self._pinned.pop(gone))

    def pin(self, labels: np.ndarray, reason: str) -> None:
        """Forbid the removal of these labels; the first reason stays."""
        for label in labels:
            self._pinned.setdefault(self._root(int(label)), reason)

    def reason(self, root: int) -> str | None:
        """Why a class is pinned, or None."""
        return self._pinned.get(root)

    def _root(self, label: int) -> int:
        while self._parent[label] != label:
            self._parent[label] = self._parent[self._parent[label]]
            label = self._parent[label]
        return label
