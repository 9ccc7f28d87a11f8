"""How far each layer of a quantized model is from the float one, and which loses most."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgekit import inputs, samples
from edgekit.compress import walk
from edgekit.compress.calibration import TOO_MUCH
from edgekit.compress.carry import WEIGHTS, match
from edgekit.compress.encoding import Coded, coded, encodings
from edgekit.compress.fold import fold
from edgekit.compress.grids import grids
from edgekit.compress.layer_names import layer_names
from edgekit.golden import Golden
from edgekit.graph import DType, Op, Tensor
from edgekit.importers.keras import import_keras
from edgekit.inputs import Values
from edgekit.model import Model

SAMPLES = 32
# Their output's scale is fixed by the operator, not calibrated.
FIXED = {"SOFTMAX", "LOGISTIC", "TANH"}


@dataclass(frozen=True)
class Fidelity:
    """One operator of the quantized model beside the float model.

    `layer`: the Keras layer, "" where none is known. `snr_db`: power of the float output over
    that of its difference to the dequantized one; None when they are equal or the float model
    has no such output. `beyond`: fraction of the float values that the output's range does not
    hold. `values`: distinct integers among its `weights`, both None for operators without.
    """

    op: int
    kind: str
    layer: str
    snr_db: float | None
    beyond: float
    values: int | None
    weights: int | None


def fidelity(float_model, quantized: Model, x: Values,
             kernels: Mapping[int, Coded] | None = None) -> tuple[Fidelity, ...]:
    """Every operator of an int8 or int16x8 model, the worst first; measured on samples `x`.

    An output of the float model belongs to the operator whose numbers it is nearest to: names
    do not survive conversion, and fused layers have one output for several. `kernels` names
    the weight tensors, where it is known; else their values do.
    """
    graph = quantized.graph
    if kernels is None or not kernels:
        kernels = named_kernels(float_model, quantized)
    outputs = _float_outputs(fold(float_model), x)
    found = []
    for op, values in zip(graph.ops, _quantized_outputs(quantized, x), strict=True):
        kernel = kernels.get(_weights(op))
        found.append(_compare(op, graph.tensors, values, outputs, kernel))
    return tuple(sorted(found, key=lambda one: (math.inf if one.snr_db is None else one.snr_db,
                                                one.op)))


def weights_only(quantized: Model, kernels: Mapping[int, Coded]) -> tuple[Fidelity, ...]:
    """The operators with weights, where there is no float model to compare with."""
    graph = quantized.graph
    weighted = [op for op in graph.ops
                if _weights(op) >= 0 and graph.tensors[_weights(op)].is_constant]
    names = layer_names([graph.tensors[op.outputs[0]].name for op in weighted])
    return tuple(
        Fidelity(op.index, op.kind, kernel.layer if kernel else name, None, 0.0,
                 len(np.unique(weights.array)), weights.size)
        for op, name in zip(weighted, names, strict=True)
        for weights, kernel in [(graph.tensors[_weights(op)], kernels.get(_weights(op)))])


def named_kernels(model, quantized: Model) -> dict[int, Coded]:
    """The Keras layer of each weight tensor of a model that was converted as it is."""
    folded = fold(model)
    plan = grids(walk.layers_of(folded))
    return match(quantized.graph, [coded(one, np.asarray(one.weight) / one.top)
                                   for one in encodings(folded, plan)])


def unseen(x: Values, used: Values) -> Values:
    """Samples to measure with: some that did not calibrate, where there are."""
    mine = set(_bytes_of_each(used))
    others = np.array([sample not in mine for sample in _bytes_of_each(x)])
    return inputs.spread(inputs.rows(x, others) if others.sum() >= SAMPLES else x, SAMPLES)


def _bytes_of_each(x: Values) -> list[bytes]:
    return [b"".join(value.tobytes() for value in sample)
            for sample in zip(*inputs.parts(x), strict=True)]


def saturation(layers: tuple[Fidelity, ...]) -> tuple[str, ...]:
    """A warning for each layer of which much is beyond the range that calibration found."""
    return tuple(f"{one.layer or one.kind}: {one.beyond:.1%} of its outputs are beyond the range "
                 "that calibration saw: give more typical samples"
                 for one in sorted(layers, key=lambda one: one.op) if one.beyond > TOO_MUCH)


def _float_outputs(model, x: Values) -> list[tuple[str, np.ndarray]]:
    """(layer, output (samples, values)) of every call with one output."""
    keras, names = import_keras(), walk.layer_names(model)
    found = []

    def visit(call: walk.Call):
        outputs = keras.tree.flatten(call.layer(*call.args, **call.kwargs))
        value = np.asarray(outputs[0])
        if len(outputs) == 1 and len(value) == count:
            found.append((names[id(call.layer)], value.reshape(count, -1)))
        return outputs

    count = inputs.count(x)
    walk.run(model, [keras.ops.convert_to_tensor(part) for part in inputs.parts(x)], visit)
    return found


def _quantized_outputs(model: Model, x: Values) -> list[np.ndarray]:
    """The dequantized first output of every operator, (samples, values)."""
    golden, graph = Golden(model), model.graph
    rows: list[list[np.ndarray]] = [[] for _ in graph.ops]
    for sample in samples.from_array(x, graph):
        golden.run(sample)
        for row, op in zip(rows, graph.ops, strict=True):
            tensor = graph.tensors[op.outputs[0]]
            values = np.frombuffer(golden.tensor(op.outputs[0]), tensor.dtype.numpy)
            row.append(samples.dequantize(values, tensor))
    return [np.array(row) for row in rows]


def _weights(op: Op) -> int:
    return op.inputs[WEIGHTS[op.kind][0]] if op.kind in WEIGHTS else -1


def _compare(op: Op, tensors: tuple[Tensor, ...], values, outputs,
             kernel: Coded | None) -> Fidelity:
    tensor, weights = tensors[op.outputs[0]], _weights(op)
    near = [(snr_db(expected, values), name, expected) for name, expected in outputs
            if expected.shape == values.shape]
    snr, name, expected = max(near, key=lambda one: one[0], default=(-math.inf, "", values))
    known = kernel is not None or snr > 0  # noise louder than the signal: it is another tensor
    array = tensors[weights].array if weights >= 0 and tensors[weights].is_constant and (
        tensors[weights].dtype is not DType.FLOAT32) else None
    return Fidelity(
        op.index, op.kind, kernel.layer if kernel else name if known else "",
        round(snr, 2) if known and math.isfinite(snr) else None,
        _beyond(expected, tensor) if known and op.kind not in FIXED else 0.0,
        None if array is None else len(np.unique(array)), None if array is None else array.size)


def snr_db(expected: np.ndarray, got: np.ndarray) -> float:
    """10 log10 of the power of `expected` over that of the difference; infinite when equal."""
    signal, noise = (float(np.square(value, dtype=np.float64).sum())
                     for value in (expected, expected - got))
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


def _beyond(values: np.ndarray, tensor: Tensor) -> float:
    """The fraction of real values that saturate in a quantized tensor."""
    if tensor.dtype not in (DType.INT8, DType.INT16) or tensor.quant is None:
        return 0.0
    limits = np.iinfo(tensor.dtype.numpy)
    low, high = ((limit - tensor.zero_point) * tensor.scale for limit in (limits.min, limits.max))
    return float(((values < low - tensor.scale) | (values > high + tensor.scale)).mean())
