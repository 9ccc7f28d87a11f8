"""The layers of a .tflite by the names that its model gave them.

A converter names an operator's output by everything that it fused into it, joined by `;`:
`net/relu/Relu;net/norm/mul_1;net/stem/convolution`. One part ends in what computes with the
weights; what stands before it is the layer, `stem`. Searching the whole text would take `b1` for
`sub1`, and a normalization's name for its convolution's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from edgekit.compress.grids import Scope

# Ends of the parts that name an operator with weights; Keras, TensorFlow and their numbers.
_COMPUTES = re.compile(r"(separable_)?(convolution|conv2d|depthwise|conv|matmul|tensordot|dot)[_\d/]*",
                       re.IGNORECASE)


def layer_names(outputs: Sequence[str]) -> list[str]:
    """A layer's name for the name of each output; where two layers have one, their whole names."""
    short = [_layer(name) for name in outputs]
    count = Counter(short)
    return [name if count[name] == 1 else whole for name, whole in zip(short, outputs, strict=True)]


def _layer(name: str) -> str:
    for part in name.split(";"):
        path = part.split("/")
        if len(path) > 1 and _COMPUTES.fullmatch(path[-1]):
            return path[-2]
    return name


def renamed(scope: Scope, names: dict[str, str]) -> Scope:
    """A scope whose patterns that are the whole name of an output name its layer instead."""
    if scope is None:
        return None
    items = scope.split(",") if isinstance(scope, str) else scope
    return [_renamed(item, names) if isinstance(item, str) else item for item in items]


def _renamed(pattern: str, names: dict[str, str]) -> str:
    bare = pattern.strip().removeprefix("!")
    mark = "!" if pattern.strip().startswith("!") else ""
    return mark + names.get(bare, bare)
