"""A portable kernel's call with the tables of proven channels: its parameters are all it shares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgekit.kernels.channels import Channels
from edgekit.ops.base import Call, Constant


def with_tables(portable: Call, kernel: str, channels: Channels, weights: np.ndarray,
                bias: np.ndarray) -> Call:
    """`portable` with these weights and biases, the channels' requantization, run by `kernel`."""
    tables = {"weights": Constant.of(weights), "bias": Constant.of(bias.astype(np.int32)),
              "multiplier": Constant.of(channels.multiplier),
              "shift": Constant.of((-channels.right_shift).astype(np.int8))}
    params = tuple((name, tables.get(name, value)) for name, value in portable.params)
    return replace(portable, kernel=kernel, params=params)
