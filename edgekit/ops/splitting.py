"""What SPLIT and SPLIT_V share: parts of the input along an axis, each an output."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.ops.base import slot

OUTPUTS = (1, 1000)


@dataclass(frozen=True, slots=True)
class Options:
    num_splits: int = slot(0, "i")
