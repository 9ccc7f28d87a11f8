"""What GATHER and RESIZE_NEAREST_NEIGHBOR share: chunks by tables of where they begin."""

from __future__ import annotations

import numpy as np

from edgekit.graph import Op
from edgekit.ops.base import Call, Constant


def call(op: Op, planes: int, input_plane: int, row_start: np.ndarray, column_start: np.ndarray,
         chunk: int) -> Call:
    """output[planes][rows][columns][chunk] of the first input; starts are in elements."""
    params = (("planes", planes), ("input_plane", input_plane), ("rows", len(row_start)),
              ("row_start", Constant.of(np.asarray(row_start, np.int32))),
              ("columns", len(column_start)),
              ("column_start", Constant.of(np.asarray(column_start, np.int32))),
              ("chunk", chunk))
    return Call("gather", "gather_s8", params, op.inputs[:1], op.outputs)
