"""Whatever is wrong with an operator's tensors: it is refused with a reason, or computed."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cases import load, samples
from conftest import require_tool
from edgekit import checks, memory, ops, reference
from edgekit.graph import DType, Graph, Quant, Tensor
from edgekit.macs import macs_of
from edgekit.memory import MemoryPlan
from fuzz import MAX_ARENA, compile_and_run

CASES = load()
KINDS = ops.kinds()


def cases_of(kind: str) -> list[Graph]:
    return [graph for _, graph in CASES if graph.ops[0].kind == kind]


def wrong_tensors(tensor: Tensor) -> Iterator[Tensor]:
    """The tensor with another type, rank, shape, quantization or role."""
    for dtype in DType:
        yield reshaped(replace(tensor, dtype=dtype), tensor.shape)
    for shape in ((), (1,), tensor.shape[1:], (1, *tensor.shape), (2, *tensor.shape),
                  tensor.shape[::-1], tuple(dim + 1 for dim in tensor.shape), (5000,),
                  (1, 3, 5, 7), (1, 1, 1, 1, 2, 3)):
        yield reshaped(tensor, shape)
    for quant in (None, Quant((0.5, 0.25), (0, 0), 0), Quant((1e-37,), (127,)),
                  Quant((1e37,), (-128,)), Quant((0.1,) * 3, (1,) * 3, 3)):
        yield replace(tensor, quant=quant)
    yield replace(tensor, data=None)
    yield replace(tensor, data=b"\xff" * tensor.nbytes)


def reshaped(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    changed = replace(tensor, shape=shape)
    return replace(changed, data=bytes(changed.nbytes)) if tensor.is_constant else changed


def wrong_graphs(graph: Graph) -> Iterator[Graph]:
    for index, tensor in enumerate(graph.tensors):
        for other in wrong_tensors(tensor):
            tensors = (*graph.tensors[:index], other, *graph.tensors[index + 1:])
            yield with_inputs(replace(graph, tensors=tensors))
    (op,) = graph.ops
    for inputs in ((), (-1,), op.inputs[:-1], op.inputs[:1], (*op.inputs, op.inputs[0]),
                   (op.inputs[0],) * 3, *((*op.inputs[:i], -1, *op.inputs[i + 1:])
                                          for i in range(len(op.inputs)))):
        yield with_inputs(replace(graph, ops=(replace(op, inputs=inputs),)))
    for name in type(op.options).__dataclass_fields__:
        if isinstance(getattr(op.options, name), (bool, int)):
            for value in (-(2**31), -1, 0, 1, 2, 5, 127, 65537, 2**31 - 1):
                options = replace(op.options, **{name: value})
                yield with_inputs(replace(graph, ops=(replace(op, options=options),)))


def with_inputs(graph: Graph) -> Graph:
    """What the operator reads and is not constant is an input, as the reader makes sure of."""
    read = dict.fromkeys(i for i in graph.ops[0].inputs
                         if i >= 0 and not graph.tensors[i].is_constant)
    return replace(graph, inputs=tuple(read) or graph.inputs)


@cache
def judged(kind: str) -> tuple[int, list[tuple[Graph, MemoryPlan]]]:
    """(how many wrong graphs are refused, the others that are small enough to run)."""
    refused, accepted = 0, []
    for graph in (wrong for right in cases_of(kind) for wrong in wrong_graphs(right)):
        macs_of(graph)
        if reasons := checks.unsupported(graph):
            assert all(reason.isprintable() for reason in reasons)
            refused += 1
            continue
        plan = memory.plan(graph)
        assert checks.plan_problems(graph, plan) == []
        if plan.arena_size <= MAX_ARENA:
            accepted.append((graph, plan))
    return refused, accepted


@pytest.mark.parametrize("kind", KINDS)
def test_no_constraint_raises_and_what_is_accepted_is_computed(kind):
    refused, accepted = judged(kind)
    assert refused > 50 and len(accepted) > 5
    for graph, _ in accepted:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")
            values = reference.run(graph, samples(graph, random=1)[-1])
        for index in graph.outputs:
            tensor = graph.tensors[index]
            assert values[index].shape == tensor.shape
            assert values[index].dtype == tensor.dtype.numpy


@pytest.mark.slow
def test_what_is_accepted_is_computed_by_the_kernels_too(tmp_path):
    require_tool("gcc")
    chosen = [(kind, *pair) for kind in KINDS
              for pair in random.Random(2).sample(judged(kind)[1], 4)]
    assert compile_and_run(chosen, tmp_path) == []


def test_constant_floats_are_not_quantized_on_the_device():
    (graph, *_) = (case for case in cases_of("QUANTIZE")
                   if case.tensors[0].dtype is DType.FLOAT32)
    source = replace(graph.tensors[0], data=bytes(graph.tensors[0].nbytes))
    constant = replace(graph, tensors=(source, *graph.tensors[1:]))
    assert "must not be a constant" in checks.unsupported(constant)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_operator_without_inputs_or_with_too_many_outputs_is_refused(kind):
    graph = cases_of(kind)[0]
    (op,) = graph.ops
    bare = replace(graph, ops=(replace(op, inputs=()),))
    assert f"operator 0 {kind} takes" in checks.unsupported(bare)[0]
    _, most = getattr(ops.get(kind), "OUTPUTS", (1, 1))
    many = replace(graph, ops=(replace(op, outputs=op.outputs[:1] * (most + 1)),))
    assert f"the file gives {most + 1}" in checks.unsupported(many)[0]
