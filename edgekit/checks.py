"""Is a graph sound, and can it be compiled: asked after reading and after every pass.

Written apart from the passes, so that a pass and its check do not share a mistake.
"""

from __future__ import annotations

import numpy as np

from edgekit import ops, reference, samples
from edgekit.errors import BadModel
from edgekit.graph import DType, Graph, Op, Tensor
from edgekit.kernel_order import keeps_its_input
from edgekit.ops.base import Call, failed, printable, wrong_counts

_PORTS = (DType.INT8, DType.UINT8, DType.INT16)


def broken(graph: Graph) -> list[str]:
    """What is wrong with the graph itself: order, writers, shapes, sizes of constants."""
    problems = []
    known = set(graph.inputs) | {i for i, t in enumerate(graph.tensors) if t.is_constant}
    for i, tensor in enumerate(graph.tensors):
        if tensor.is_constant and len(tensor.data) != tensor.nbytes:
            problems.append(f"constant '{tensor.name}' has {len(tensor.data)} bytes, its shape "
                            f"needs {tensor.nbytes}")
    for op in graph.ops:
        for i in op.inputs:
            if i >= 0 and i not in known:
                problems.append(f"operator {op.index} {op.kind} reads tensor {i} too early")
        for i in op.outputs:
            if i in known:
                problems.append(f"operator {op.index} {op.kind} writes tensor {i} again")
            known.add(i)
    problems += [f"output tensor {i} is never written" for i in graph.outputs if i not in known]
    return problems


def sound(graph: Graph, after: str) -> Graph:
    """The graph, or AssertionError: a pass that breaks a graph is a bug, not bad input."""
    problems = broken(graph) + unsupported(graph)
    if problems:
        raise AssertionError(f"after {after}: {problems[0]}")
    return graph


def changed_values(before: Graph, after: Graph) -> list[str]:
    """What a pass changed, found by running both on a seeded sample: every tensor that is still
    computed, and every output, must have the values that it had."""
    (sample,) = samples.random_samples(before, 1)
    wanted, got = reference.run(before, sample), reference.run(after, sample)
    left = [i for op in after.ops for i in op.outputs if i in wanted]
    missing = [f"output tensor {i} is not computed" for i in after.outputs if i not in got]
    return missing + [f"tensor {i} has other values" for i in left
                      if not np.array_equal(part(after.tensors[i], wanted[i]), got[i])]


def part(tensor: Tensor, value: np.ndarray) -> np.ndarray:
    """Of a tensor of the file what a pass has left."""
    return value if tensor.channels is None else value[..., list(tensor.channels)]


def unsupported(graph: Graph) -> list[str]:
    """Why the aot runtime and the reference cannot run the graph: one sentence per reason."""
    reasons = [reason for op in graph.ops for reason in _reasons(graph, op)]
    reasons += _variables(graph)
    reasons += _ports(graph, "input", graph.inputs) + _ports(graph, "output", graph.outputs)
    return [printable(reason) for reason in reasons]


def _variables(graph: Graph) -> list[str]:
    """What no operator writes and no caller gives: state that would be kept between inferences."""
    known = set(graph.inputs) | {i for i, t in enumerate(graph.tensors) if t.is_constant}
    known |= {i for op in graph.ops for i in op.outputs}
    return [f"operator {op.index} {op.kind} reads the variable '{graph.tensors[i].name}', and "
            "variables are not supported" for op in graph.ops for i in op.inputs
            if i >= 0 and i not in known]


def _ports(graph: Graph, side: str, indices: tuple[int, ...]) -> list[str]:
    """Why tensors cannot be inputs or outputs of the C code, which converts by one scale."""
    reasons = []
    for i in indices:
        tensor = graph.tensors[i]
        where = f"{side} '{tensor.name}'"
        if tensor.is_constant:
            reasons.append(f"{where} is a constant")
        elif tensor.dtype is DType.FLOAT32:
            continue
        elif tensor.dtype is DType.INT32 and side == "output":
            continue
        elif tensor.dtype not in _PORTS:
            reasons.append(f"{where} is {tensor.dtype.value}; it must be int8, uint8, int16 or "
                           "float32")
        elif tensor.quant is None:
            reasons.append(f"{where} is {tensor.dtype.value} without quantization")
        elif len(tensor.quant.scale) != 1:
            reasons.append(f"{where} has {len(tensor.quant.scale)} scales; it must have one")
    return reasons


def require_supported(graph: Graph) -> Graph:
    """The graph, or BadModel with every reason at once."""
    reasons = unsupported(graph)
    if not reasons:
        return graph
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    floats = any(t.dtype is DType.FLOAT32 for t in graph.tensors) and all(
        t.dtype is not DType.INT8 for t in graph.tensors)
    hint = ("this is a float model: edgekit quantize makes it int8" if floats else
            "edgekit inspect MODEL shows all operators; --runtime tflm takes more of them")
    raise BadModel(f"the model cannot be compiled: {reasons[0]}{more}", hint, reasons=tuple(reasons))


def _reasons(graph: Graph, op: Op) -> list[str]:
    where = f"operator {op.index} {op.kind}"
    module = ops.get(op.kind)
    if module is None:
        return [f"{where} version {op.version} is not supported"]
    if op.version not in module.VERSIONS:
        return [f"{where} has version {op.version}, supported are {module.VERSIONS[0]} to "
                f"{module.VERSIONS[-1]}"]
    counts = wrong_counts(module, op)
    if counts:
        return [f"{where} {counts}"]
    messages = failed(module.CONSTRAINTS, graph, op)
    if not messages:
        for shape, tensor in zip(module.shapes(graph, op), graph.outputs_of(op), strict=True):
            if shape != tensor.shape:
                messages.append(f"gives shape {list(shape)}, the file says {list(tensor.shape)}")
    return [f"{where}: {message}" for message in messages]


def plan_problems(graph: Graph, plan, calls=None) -> list[str]:
    """What a memory plan breaks, found by executing it on byte owners instead of lifetimes.

    `calls` are the kernel calls of each operator that will run, the portable ones if not given.
    """
    problems: list[str] = []
    owners: list[tuple[int, int, object]] = []  # (first byte, byte behind the last, owner)
    value_of = {i: i for i in range(len(graph.tensors))}

    def span(tensor: int, size: int) -> slice:
        start = plan.offset(tensor)
        if start % plan_alignment or start < 0 or start + size > plan.arena_size:
            problems.append(f"tensor {tensor} is outside the arena or not aligned: {start}")
        return slice(max(start, 0), min(start + size, plan.arena_size))

    def write(tensor: int, value: object, size: int) -> None:
        place = span(tensor, size)
        kept = [(first, end, owner) for begin, stop, owner in owners
                for first, end in ((begin, min(stop, place.start)), (max(begin, place.stop), stop))
                if first < end]
        owners[:] = [*kept, (place.start, place.stop, value)]

    def is_whole(tensor: int, size: int) -> bool:
        place = span(tensor, size)
        there = sum(max(0, min(end, place.stop) - max(first, place.start))
                    for first, end, owner in owners if owner == value_of.get(tensor, tensor))
        return there == place.stop - place.start

    def read(tensor: int, who: str) -> None:
        if not is_whole(tensor, graph.tensors[tensor].nbytes):
            problems.append(f"{who} reads tensor {tensor} after it was overwritten")

    def may_be_covered(tensor: int, lowered: tuple[Call, ...]) -> bool:
        """Whether an output lies on the input, and the one call that does all is done reading
        each of its bytes before it writes there."""
        using = [call for call in lowered if call.inputs or call.outputs]
        if len(using) != 1 or len(using[0].outputs) != 1:
            return False
        distance = plan.offset(tensor) - plan.offset(using[0].outputs[0])
        return keeps_its_input(graph, using[0], tensor, distance)

    plan_alignment = 4
    scratch = {p.tensor: p.size for p in plan.placements if p.tensor < 0}
    for i in graph.inputs:
        write(i, i, graph.tensors[i].nbytes)
    for position, op in enumerate(graph.ops):
        who, stored = f"operator {op.index} {op.kind}", [
            i for i in op.inputs if i >= 0 and not graph.tensors[i].is_constant]
        lowered = calls[position] if calls is not None else ops.get(op.kind).lower(graph, op)
        if lowered == ():
            value_of[op.outputs[0]] = value_of[op.inputs[0]]
            read(op.outputs[0], who)
            continue
        wanted = max(call.scratch for call in lowered)
        has_scratch = scratch.get(-1 - position, 0) >= wanted > 0
        if has_scratch:
            write(-1 - position, -1 - position, wanted)
        elif wanted:
            problems.append(f"{who} asks for {wanted} bytes of scratch, the plan has "
                            f"{scratch.get(-1 - position, 0)}")
        covered = [i for i in stored if may_be_covered(i, lowered)]
        for i in covered:
            read(i, who)
        for i in op.outputs:
            write(i, i, graph.tensors[i].nbytes)
        # Other kernels may write their outputs and scratch before they have read all inputs.
        for i in set(stored) - set(covered):
            read(i, who)
        for i in op.outputs:
            read(i, who)
        if has_scratch and not is_whole(-1 - position, wanted):
            problems.append(f"{who} shares its scratch with a tensor that it uses")
    for i in graph.outputs:
        read(i, "the caller")
    return problems
