"""ADD of two tensors of one shape: one operand by shift, the other by table, both doubled."""

from __future__ import annotations

import numpy as np

from edgekit.fixed_point import INT32_MAX
from edgekit.graph import Graph, Op
from edgekit.ops import add, elementwise, sums
from edgekit.ops.base import Call, Constant


def lower(graph: Graph, op: Op, optimize: str) -> tuple[Call, ...] | None:
    (portable,) = add.lower(graph, op)
    given = dict(portable.params)
    if any(size > 1 and 0 in strides for size, *strides in elementwise.merged(
            *(tensor.shape for tensor in graph.inputs_of(op)))):
        return None
    doubled = 2 * np.array(given["input2_table"].values, np.int64)
    right, offset = given["output_right_shift"], 2 * given["output_zero_point"] + 1
    # As in channels.py: the doubled sum fits int32, and so does the rescaled one with its rounding.
    reach = int(np.abs(doubled).max()) + (128 << (sums.LEFT_SHIFT + 1 - 1))
    if right < 1 or reach > INT32_MAX or reach // 2 + abs(offset) * (1 << right >> 1) >= INT32_MAX:
        return None
    params = (("count", graph.outputs_of(op)[0].size),
              ("input2_table", Constant.of(doubled.astype(np.int32))),
              ("output_multiplier", given["output_multiplier"]), ("output_right_shift", right),
              *((name, given[name]) for name in ("output_zero_point", "activation_min",
                                                 "activation_max")))
    return (Call("add_dsp", "add_s8_dsp", params, portable.inputs, portable.outputs,
                 over=portable.over),)
