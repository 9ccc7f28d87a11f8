"""L1-regularised training: filters that the task does not need are driven towards zero.

The penalty is an L1 norm over filters, so that whole filters shrink, and pruning by a threshold
afterwards takes them away:

* before a BatchNormalization, strength x sum |gamma|. A penalty on the kernel would do nothing
  there: the normalization undoes any scale of a filter, so all would shrink alike.
* elsewhere, strength x sum of each filter's L2 norm x sqrt(its weights) (group lasso, Yuan and
  Lin 2006).

A weight moves by at most about the learning rate in a step: to bring a gamma of 1 to zero, the
learning rate times the steps of the training must be well above 1, whatever the strength.

Filters are then judged by the L1 norm of their weights with BatchNormalization folded in, that
is, as the device will have them.
"""

from __future__ import annotations

import math

import numpy as np

from edgekit.compress import follow, walk
from edgekit.compress.choose import l1_norms
from edgekit.compress.finetune import Prepare
from edgekit.compress.fold import fold
from edgekit.compress.masks import kernel_of
from edgekit.compress.structure import Structure, analyse
from edgekit.errors import UsageError
from edgekit.importers.keras import import_keras

STRENGTH = 1e-3


def penalized(names: set[str], strength: float = STRENGTH) -> Prepare:
    """What `finetune` needs to train with the penalty on the layers of these names.

    Raises UsageError for a strength that is not above 0.
    """
    if not 0 < strength < math.inf:
        raise UsageError(f"the strength is {strength}; it must be a number above 0",
                         f"{STRENGTH:g} suits most models")

    def prepare(model, steps: int) -> list:
        # The variable's own regularizer: a layer's `kernel_regularizer` is read when the layer
        # is built and ignored, in silence, when it is set afterwards.
        norms = norms_after(model)
        for layer in model.layers:
            if layer.name in names:
                norm = norms.get(layer.name)
                if norm is not None and norm.scale:
                    norm.gamma.regularizer = _sum_of_absolutes(strength)
                else:
                    transposed = type(layer).__name__.endswith("Transpose")
                    kernel_of(layer).regularizer = _group_lasso(strength, transposed)
        return []

    return prepare


def norms_after(model) -> dict[str, object]:
    """Layer name -> the BatchNormalization that reads its output directly."""
    found: dict[str, object] = {}

    def visit(call: walk.Call):
        kind = type(call.layer).__name__
        if kind == "BatchNormalization" and call.inputs[0] is not None:
            found[call.inputs[0]] = call.layer
        made = call.layer.name if kind in follow.FILTERS | follow.NEURONS else None
        return [made] * len(call.output_shapes)

    walk.run(model, [None] * len(model.inputs), visit)
    return found


def folded_norms(model) -> dict[str, np.ndarray]:
    """Layer name -> L1 norm of each filter with BatchNormalization folded in."""
    structure: Structure = analyse(fold(model))
    return {port.name: l1_norms(port) for port in structure.producers()}


def _sum_of_absolutes(strength: float):
    return import_keras().regularizers.L1(strength)


def _group_lasso(strength: float, transposed: bool):
    keras = import_keras()

    class GroupLasso(keras.regularizers.Regularizer):
        """strength x sum over filters of sqrt(weights of one) x its L2 norm."""

        def __call__(self, kernel):
            axis = len(kernel.shape) - (2 if transposed else 1)
            others = [i for i in range(len(kernel.shape)) if i != axis]
            size = math.prod(kernel.shape[i] for i in others)
            # 1e-12: the square root has no gradient at zero.
            squares = keras.ops.sum(keras.ops.square(kernel), axis=others) + 1e-12
            return strength * math.sqrt(size) * keras.ops.sum(keras.ops.sqrt(squares))

    return GroupLasso()
