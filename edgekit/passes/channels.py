"""Drop channels that no input can change or that nobody reads.

A constant channel goes into the biases of the convolution that reads it; where padding lies beside
it only if it is the zero point, as which padding counts. The channels of an operator that computes
each for itself (depthwise, pooling, an activation) go with those of its input. What is left is
filled up to whole words with channels that were to go: kernels take four at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.ops import weighted
from edgekit.ranges import (Interval, intervals, is_int8, is_padded, keeps_channels, sums,
                            weights_by_channel)

WORD = 4  # channels
_MIXING = ("CONV_2D", "FULLY_CONNECTED")
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def drop_channels(graph: Graph) -> Graph:
    """The graph without them; `Tensor.channels` says which of the file's are left."""
    ranges = intervals(graph)
    kept = _kept(graph, ranges)
    if all(len(numbers) == _channels(graph.tensors[i]) for i, numbers in kept.items()):
        return graph
    tensors = list(graph.tensors)
    for i, numbers in kept.items():
        if len(numbers) < _channels(graph.tensors[i]):
            tensors[i] = replace(tensors[i], shape=(*tensors[i].shape[:-1], len(numbers)),
                                 channels=tuple(numbers.tolist()))
    rewritten = tuple(_rewritten(graph, op, ranges, kept, tensors) for op in graph.ops)
    return replace(graph, tensors=tuple(tensors), ops=rewritten)


def _channels(tensor: Tensor) -> int:
    return (tensor.shape or (1,))[-1]


def _kept(graph: Graph, ranges: Mapping[int, Interval]) -> dict[int, np.ndarray]:
    """The channels that stay of every activation, ascending."""
    root = _roots(graph)
    needed: dict[int, np.ndarray] = {}

    def need(tensor: int, channels: np.ndarray) -> None:
        there = needed.setdefault(root[tensor], np.zeros(len(channels), bool))
        there |= channels

    def need_all(tensor: int) -> None:
        need(tensor, np.ones(_channels(graph.tensors[tensor]), bool))

    for i in (*graph.inputs, *graph.outputs):
        need_all(i)
    # Backward: who reads a tensor's channels is known before its writer asks for its inputs.
    for op in reversed(graph.ops):
        for i in op.outputs:
            if root[i] == i:  # nobody's channels but its own
                chosen = needed.setdefault(i, np.zeros(_channels(graph.tensors[i]), bool))
                if op.kind not in _MIXING or not is_int8(graph, op):
                    chosen |= True
                _fill_words(chosen)
        if _is_tied(graph, op):
            continue
        if op.kind in _MIXING and op.inputs[0] in root and is_int8(graph, op) \
                and weights_by_channel(graph, op).shape[2] == _channels(graph.inputs_of(op)[0]):
            need(op.inputs[0], _read(graph, op, ranges, needed[root[op.outputs[0]]]))
        else:
            for i in op.inputs:
                if i in root:
                    need_all(i)
    return {i: np.flatnonzero(needed[root[i]]) for i in root}


def _is_tied(graph: Graph, op: Op) -> bool:
    return keeps_channels(graph, op) and is_int8(graph, op)


def _roots(graph: Graph) -> dict[int, int]:
    """For every activation the first one whose channels it shares."""
    root = {i: i for i in graph.inputs}
    for op in graph.ops:
        for i in op.outputs:
            root[i] = root.get(op.inputs[0], i) if op.inputs and _is_tied(graph, op) else i
    return root


def _fill_words(chosen: np.ndarray) -> None:
    """As many more as make whole words, one at least, of those that were to go."""
    wanted = min(len(chosen), max(WORD, -(-int(chosen.sum()) // WORD) * WORD))
    chosen[np.flatnonzero(~chosen)[:wanted - int(chosen.sum())]] = True


def _read(graph: Graph, op: Op, ranges: Mapping[int, Interval], kept: np.ndarray) -> np.ndarray:
    """Input channels that the kept outputs of a convolution need computed."""
    rows = kept & ~_constant(ranges[op.outputs[0]])
    weights = weights_by_channel(graph, op)
    is_read = weights[rows].any(axis=(0, 1))
    trusted = sums(graph, op, ranges[op.inputs[0]]).trusted
    if not trusted[rows].all():  # no bias of theirs is touched
        return is_read
    return is_read & ~_foldable(graph, op, ranges)


def _constant(interval: Interval) -> np.ndarray:
    return interval[0] == interval[1]


def _foldable(graph: Graph, op: Op, ranges: Mapping[int, Interval]) -> np.ndarray:
    low, _ = interval = ranges[op.inputs[0]]
    is_zero = low == graph.inputs_of(op)[0].zero_point
    return _constant(interval) & (is_zero | (not is_padded(graph, op)))


def _rewritten(graph: Graph, op: Op, ranges: Mapping[int, Interval],
               kept: Mapping[int, np.ndarray], tensors: list[Tensor]) -> Op:
    """The operator on what is left; its new constants are appended to `tensors`."""
    before = [_channels(graph.tensors[i]) for i in (op.inputs[0], op.outputs[0])]
    ends = [kept.get(i, np.arange(n)) for i, n in zip((op.inputs[0], op.outputs[0]), before)]
    if [len(end) for end in ends] == before:
        return op
    if op.kind == "RESHAPE":
        return replace(op, inputs=op.inputs[:1], options=replace(
            op.options, new_shape=tensors[op.outputs[0]].shape))
    if op.kind not in _WEIGHTED:
        return op
    weights, bias = _folded(graph, op, ranges, *ends)
    old = graph.inputs_of(op)[1]
    tensors += [replace(old, shape=weights.shape, data=weights.astype(np.int8).tobytes(),
                        quant=_of_channels(old.quant, ends[1])),
                Tensor(f"bias_of_{op.index}", bias.shape, DType.INT32, None,
                       bias.astype("<i4").tobytes())]
    return replace(op, inputs=(op.inputs[0], len(tensors) - 2, len(tensors) - 1))


def _folded(graph: Graph, op: Op, ranges: Mapping[int, Interval], inputs: np.ndarray,
            outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(weights, bias) with what was dropped in the bias. Outputs that are constants read nothing:
    their input may have been dropped for it."""
    weights, source = weights_by_channel(graph, op), ranges[op.inputs[0]]
    found = sums(graph, op, source)
    bias = weighted.bias_of(graph, op, len(weights)).astype(np.int64)
    constant = _constant(ranges[op.outputs[0]])
    old = graph.inputs_of(op)[1].array
    shape = [*old.shape]
    if op.kind != "DEPTHWISE_CONV_2D":
        gone = np.setdiff1d(np.arange(weights.shape[2]), inputs)
        steps = source[0][gone] - graph.inputs_of(op)[0].zero_point
        at_rest = np.where(_constant(source)[gone], steps, 0)  # the others have weights of zero
        bias = bias + (weights[:, :, gone] * at_rest).sum(axis=(1, 2))
        weights = weights[:, :, inputs]
        shape[-1] = len(inputs)
    bias = np.where(constant, found.low, bias)[outputs]
    weights = np.where(constant[:, None, None], 0, weights)[outputs]
    if op.kind == "DEPTHWISE_CONV_2D":
        return weights[:, :, 0].T.reshape(*shape[:3], len(outputs)), bias
    return weights.reshape(len(outputs), *shape[1:]), bias


def _of_channels(quant: Quant, channels: np.ndarray) -> Quant:
    if len(quant.scale) == 1:
        return quant
    return replace(quant, scale=tuple(quant.scale[i] for i in channels),
                   zero_point=tuple(quant.zero_point[i] for i in channels))
