"""BatchNormalization's statistics measured anew: a pass over data, without training.

After filters were removed or weights zeroed, the stored means and variances are those of other
activations, and inference is near chance; this alone brings back much of the accuracy.
"""

from __future__ import annotations

import math

import numpy as np

from edgekit import data as samples
from edgekit import inputs
from edgekit.compress import walk
from edgekit.compress.structure import analyse, rebuild
from edgekit.data import Data
from edgekit.importers.keras import import_keras, input_shapes

# Every activation of the pass is in memory at once: 2^26 floats are 256 MB.
FLOATS = 2 ** 26


def recalibrate(model, data: Data, samples_used: int = 512):
    """A copy of the model whose BatchNormalization layers hold the exact mean and variance of
    their inputs over `data.x`, each computed with the layers before it already corrected.

    Of more than `samples_used` samples, that many are taken at even distances, and fewer where
    the activations of so many would not fit 256 MB. Without BatchNormalization: a plain copy.
    Raises BadData for data that does not suit the model.
    """
    samples.check(data, input_shapes(model))
    fresh = rebuild(analyse(model))
    if any(type(layer).__name__ == "BatchNormalization" for layer in fresh.layers):
        count = min(len(data), samples_used, max(2, FLOATS // _floats(fresh)))
        walk.run(fresh, inputs.parts(inputs.spread(data.x, count)), _visit)
    return fresh


def _floats(model) -> int:
    """Values of all activations of one sample; an open length counts as 64."""
    total = 0

    def visit(call: walk.Call):
        nonlocal total
        total += sum(math.prod(size or 64 for size in shape[1:]) for shape in call.output_shapes)
        return [None] * len(call.output_shapes)

    walk.run(model, [None] * len(model.inputs), visit)
    return max(1, total)


def _visit(call: walk.Call) -> list:
    """One layer's outputs in inference; a BatchNormalization is measured first."""
    keras = import_keras()
    if type(call.layer).__name__ == "BatchNormalization":
        value = np.asarray(call.inputs[0])
        axis = call.layer.axis if isinstance(call.layer.axis, int) else call.layer.axis[0]
        others = tuple(i for i in range(value.ndim) if i != axis % value.ndim)
        call.layer.moving_mean.assign(value.mean(axis=others, dtype=np.float64))
        call.layer.moving_variance.assign(value.var(axis=others, dtype=np.float64))
    return keras.tree.flatten(call.layer(*call.args, **call.kwargs))
