"""A rewritten model is proven to compute what it was made from: TFLite Micro's outputs are equal."""

from __future__ import annotations

import numpy as np

from edgekit import samples
from edgekit.errors import Mismatch
from edgekit.golden import Golden
from edgekit.graph import DType, Tensor
from edgekit.model import Model

SAMPLES = 10


def require_equal(golden: Golden, before: Model, after: Model, what: str) -> str:
    """The name of the golden, which is one of `before`, once it found the outputs of SAMPLES
    samples equal.

    `what` is the changed model in a message. Inputs and outputs that were float and are integers
    in `after` are compared as real values. Mismatch where an output differs, BadModel where `after`
    cannot be run.
    """
    changed = Golden(after, of_outputs=True)
    for sample in samples.default_samples(after.graph, SAMPLES):
        ports = zip(sample, before.graph.inputs, after.graph.inputs, strict=True)
        golden.run(tuple(_as_before(value, before.graph.tensors[old], after.graph.tensors[new])
                         for value, old, new in ports))
        changed.run(sample)
        for old, new in zip(before.graph.outputs, after.graph.outputs, strict=True):
            tensor = after.graph.tensors[new]
            value = np.frombuffer(changed.tensor(new), tensor.dtype.numpy)
            told = _as_before(value, before.graph.tensors[old], tensor)
            if told.tobytes() != golden.tensor(old):
                raise Mismatch(f"the {what} model computes another "
                               f"'{before.graph.tensors[old].name}'", "please report the model")
    return golden.name


def _as_before(value: np.ndarray, old: Tensor, new: Tensor) -> np.ndarray:
    if old.dtype is DType.FLOAT32 and new.dtype is not DType.FLOAT32:
        return samples.dequantize(value, new)
    return value
