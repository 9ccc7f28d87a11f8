"""Which values the weights of each layer may take: the options of `quantize`, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.compress.codebook import METHODS, STEP, knots_of, interpolation
from edgekit.compress.scope import Layer, select
from edgekit.errors import UsageError
from edgekit.passes.int4 import LARGEST

WEIGHTS = ("int8", "int4")
WITHOUT_INT4 = ("Conv2DTranspose", "TRANSPOSE_CONV")
ONE_SCALE = ("Dense", "FULLY_CONNECTED")
MOST_LEVELS = 2 * STEP + 1
DEFAULT_BITS = 4  # of piecewise-linear and kmeans

Scope = str | Sequence[str | int] | None


@dataclass(frozen=True)
class Grid:
    """The weights of a layer take `levels` values; None: the 255 of int8, which needs no codebook.

    `knots` are the range or the breakpoints that the user gave, else they are fitted: fractions
    of each channel's largest |weight| with `per_channel`, else weights as they are once
    BatchNormalization is folded in. `step` is the largest integer: 127, or 7 for int4 weights,
    which have no codebook. `is_float`: the weights are left as they are.
    """

    method: str = "linear"
    levels: int | None = None
    knots: tuple[float, ...] | None = None
    per_channel: bool = True
    step: int = STEP
    is_float: bool = False


def grids(layers: Sequence[Layer], method: str = "linear", scope: Scope = None,
          bits: int | Mapping[str, int] | None = None, levels: int | None = None,
          range: Sequence[float] | None = None, breakpoints: Sequence[float] | None = None,
          per_channel: bool | None = None,
          weights: str | Mapping[str, str] | None = None) -> dict[str, Grid]:
    """The grid of every one of `layers` by name; outside the scope it is int8.

    `bits` may map scopes to bits; of two that name a layer the last counts, and layers that
    none names stay int8. `weights`, int8 or int4, may map scopes in the same way. Raises
    UsageError for options that do not go together.
    """
    knots = _knots(method, range, breakpoints)
    channels = (knots is None) if per_channel is None else bool(per_channel)
    whole = Grid(per_channel=per_channel is not False)
    chosen = select(layers, scope)
    by_scope = bits if isinstance(bits, Mapping) else {",".join(chosen): bits}
    found = {name: whole for name, _ in layers}
    for pattern, count in by_scope.items():
        number = _levels(method, count, levels, knots)
        grid = whole if number is None else Grid(method, number, knots, channels)
        found.update((name, grid) for name in select(layers, pattern) if name in chosen)
    by_scope = weights if isinstance(weights, Mapping) else {",".join(chosen): weights or "int8"}
    for pattern, dtype in by_scope.items():
        if dtype not in WEIGHTS:
            raise UsageError(f"there are no {dtype} weights", f"one of {', '.join(WEIGHTS)}")
        if dtype == "int4":
            named = [layer for layer in layers if layer[0] in select(layers, pattern)
                     and layer[0] in chosen]
            found.update((name, _int4(name, kind, found[name])) for name, kind in named)
    return found


def _int4(name: str, kind: str, grid: Grid) -> Grid:
    """The grid of a layer of a Keras model or an operator of a .tflite whose weights become int4."""
    if grid.levels is not None:
        raise UsageError(f"'{name}' is to have a codebook and int4 weights",
                         "leave one of them out: 4 bits of a codebook need no int4")
    if kind in WITHOUT_INT4:
        raise UsageError(f"'{name}' is a {kind}: TensorFlow Lite Micro takes int4 weights for "
                         "convolutions, depthwise ones and dense layers", f"--scope '!{name}'")
    # TFLite Micro's dense int4 kernel has one scale.
    return Grid(per_channel=grid.per_channel and kind not in ONE_SCALE, step=LARGEST)


def _levels(method: str, bits: int | None, levels: int | None, knots) -> int | None:
    if bits is not None and levels is not None:
        raise UsageError(f"{bits} bits and {levels} levels are both given", "give one of them")
    if levels is None:
        if bits is None and method == "linear":
            bits = 8
        bits = DEFAULT_BITS if bits is None else bits
        if bits != int(bits) or not 2 <= bits <= 8:
            raise UsageError(f"{bits} bits; 2 to 8 are possible", "for example --bits 4")
        levels = min(2 ** int(bits), MOST_LEVELS)
    if levels != int(levels) or not 2 <= levels <= MOST_LEVELS:
        raise UsageError(f"{levels} levels; 2 to {MOST_LEVELS} are possible on the int8 grid",
                         "for example --levels 8")
    if method == "linear" and levels == MOST_LEVELS and knots is None:
        return None
    interpolation(int(levels), knots_of(method, int(levels)) if knots is None else len(knots))
    return int(levels)


def _knots(method: str, range, breakpoints) -> tuple[float, ...] | None:
    """The knots that the user gave, checked against the method."""
    if method not in METHODS:
        raise UsageError(f"there is no quantization method '{method}'",
                         f"the methods are {', '.join((*METHODS, 'qat'))}")
    for option, value, owner in (("range", range, "linear"),
                                 ("breakpoints", breakpoints, "piecewise-linear")):
        if value is not None and method != owner:
            raise UsageError(f"{option} is an option of {owner}, not of {method}",
                             f"--method {owner}")
    if range is not None and len(range) != 2:
        raise UsageError(f"the range has {len(range)} numbers; it needs 2", "for example --range=-1,1")
    given = range if range is not None else breakpoints
    if given is None:
        return None
    values = tuple(float(value) for value in given)
    what = "range" if range is not None else "breakpoints"
    if len(values) < 2 or not np.isfinite(values).all() or (np.diff(values) <= 0).any():
        raise UsageError(f"the {what} {', '.join(f'{value:g}' for value in values)} must be at "
                         "least 2 numbers that rise", "for example -1,-0.25,0.25,1")
    return values
