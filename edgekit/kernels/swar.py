"""Two products in one 32-bit multiplication, for cores without SIMD: what a layer needs for it.

A word holds two pixels, x0 + (x1 << 16), as one number. A weight times it is both products, as
long as the lower one, and what is added to it, stays within 16 bits until they are separated:
two taps can be added first where the sum of their weights' magnitudes is at most 255.
"""

from __future__ import annotations

import numpy as np

from edgekit.kernels.channels import Channels

MAX_SUM = 255  # of magnitudes: 255 * 128 fits int16


def sums_fit(weights: np.ndarray, taps: int) -> bool:
    """Whether each `taps` weights in a row of [channels, taps in the kernel's order] may be added
    before they are separated. Two int8 always may, but for -128 beside -128."""
    return bool(sums_fit_each(weights, taps).all())


def sums_fit_each(weights: np.ndarray, taps: int) -> np.ndarray:
    """The same for each channel, bool."""
    groups = np.pad(np.abs(weights.astype(np.int32)), ((0, 0), (0, -weights.shape[1] % taps)))
    sums = groups.reshape(len(weights), -1, taps).sum(axis=2)
    return sums.max(axis=1, initial=0) <= MAX_SUM


def rounding(channels: Channels, zero_point: int) -> np.ndarray:
    """C of channels.py for each channel, int32."""
    return ((2 * zero_point + 1) * (1 << (channels.right_shift.astype(np.int64) - 1))).astype(
        np.int32)
