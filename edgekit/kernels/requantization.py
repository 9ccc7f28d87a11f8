"""Requantization without long multiplications: the multiplier in parts, the lowest first.

    v = floor(accumulator * multiplier / 2^dropped)

by Horner's rule, floors within floors, which is exact as long as accumulator times a part fits
int32. Of v's bits, 31 - dropped are below the integer that channels.py calls for, so

    (v + C' - (accumulator < 0) * 2^(31 - dropped)) >> (31 - dropped + r)

with C' = 2^(30 - dropped) + C * 2^(31 - dropped) is its result: one shift for both roundings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.fixed_point import INT32_MAX
from edgekit.kernels import swar
from edgekit.kernels.channels import Channels

# Bits that are dropped, and of accumulators that may be: parts of 11, or of 8 bits.
BY_11, BY_8 = (22, 20), (24, 23)


@dataclass(frozen=True)
class Requantization:
    """C' and shift of each channel, int32; `dropped` is 22 (parts of 11 bits) or 24 (of 8)."""

    dropped: int
    rounding: np.ndarray
    shift: np.ndarray


def proven(channels: Channels, zero_point: int, ways=(BY_11, BY_8)) -> Requantization | None:
    """The first way that is exact for every channel, None where none is."""
    for way in ways:
        found, exact = by_way(channels, zero_point, way)
        if exact.all():
            return found
    return None


def by_way(channels: Channels, zero_point: int,
           way: tuple[int, int]) -> tuple[Requantization, np.ndarray]:
    """A way's tables, zeros for channels for which it is not exact, and bool for which it is."""
    dropped, bits = way
    kept = 31 - dropped
    rounding = (1 << kept - 1) + (swar.rounding(channels, zero_point).astype(np.int64) << kept)
    largest = (1 << bits + kept) + np.abs(rounding) + (1 << kept)
    exact = (channels.reach < 1 << bits) & (largest <= INT32_MAX)
    return Requantization(dropped, np.where(exact, rounding, 0).astype(np.int32),
                          np.where(exact, channels.right_shift + kept, 0)), exact
