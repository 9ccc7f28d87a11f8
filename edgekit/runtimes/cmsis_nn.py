"""Arena bytes that Arm's CMSIS-NN kernels need beyond the reference kernels', for int8.

Source: CMSIS-NN 7.0 `*_get_buffer_sizes_s8.c`, and TFLite Micro's `kernels/cmsis_nn/`, which
asks for them in Prepare. Formulas differ by the core's extension: none, DSP or MVE.
"""

from __future__ import annotations

from edgekit import ops
from edgekit.graph import DType, Graph, Op

_MVE_CORES = ("cortex-m52", "cortex-m55", "cortex-m85")
_DSP_CORES = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m35p")
_MVE_CHANNELS = 124        # CH_IN_BLOCK_MVE
_MVE_TO_CONVOLUTION = 1    # output channels above which a one-channel depthwise becomes one (GCC)


def extension(core: str) -> str:
    """What the core adds to Thumb-2: "", "dsp" or "mve"."""
    if core in _MVE_CORES:
        return "mve"
    return "dsp" if core in _DSP_CORES else ""


def buffers(graph: Graph, core: str) -> tuple[list[int], list[int]]:
    """(scratch of each operator, persistent buffers), in bytes."""
    scratch, persistent = [], []
    for op in graph.ops:
        temporary, kept = _of(graph, op, extension(core))
        scratch.append(temporary)
        if kept:
            persistent.append(kept)
    return scratch, persistent


def _of(graph: Graph, op: Op, ext: str) -> tuple[int, int]:
    """(scratch, persistent) of one operator; (0, 0) where CMSIS-NN is not asked."""
    if not op.inputs or op.inputs[0] < 0 or graph.inputs_of(op)[0].dtype is not DType.INT8:
        return 0, 0
    formula = _FORMULAS.get(op.kind)
    return formula(graph, op, ext) if formula else (0, 0)


def _conv(graph: Graph, op: Op, ext: str) -> tuple[int, int]:
    source, weights = graph.inputs_of(op)[:2]
    rows, columns = ops.get(op.kind).axes(graph, op)
    return _im2col(rows, columns, source.shape[3], weights.shape[3], ext), 0


def _im2col(rows, columns, channels: int, filter_channels: int, ext: str) -> int:
    """Bytes for the windows that a convolution lays out as columns of a matrix."""
    whole = channels == filter_channels  # no groups
    undilated = (rows.dilation, columns.dilation) == (1, 1)
    if whole and undilated and (rows.filter, columns.filter, rows.pad, columns.pad) == (1, 1, 0, 0):
        return 0
    taps = rows.filter * columns.filter * channels
    if ext != "mve":
        return 4 * _up(taps, 4)
    if whole and (rows.size, rows.filter, columns.dilation) == (1, 1, 1) \
            and columns.stride * channels % 4 == 0:
        return _conv_1_x_n_mve(columns, channels, taps)
    return 4 * _up(taps, 16)


def _conv_1_x_n_mve(columns, channels: int, taps: int) -> int:
    """im2col of the columns that see padding."""
    uneven = columns.pad_after - columns.pad if columns.pad_after != columns.pad else 0
    left = _padded_columns(columns.pad, columns.stride)
    right = _padded_columns(columns.pad + uneven, columns.stride)
    if left + right > columns.output:
        return 4 * _up(taps, 16)
    after = right * channels if uneven else columns.pad * channels
    return max(taps + columns.pad * channels, taps - channels + after)


def _padded_columns(pad: int, stride: int) -> int:
    return max(1, -(-pad // stride)) if pad else 0


def _depthwise(graph: Graph, op: Op, ext: str) -> tuple[int, int]:
    source, weights = graph.inputs_of(op)[:2]
    rows, columns = ops.get(op.kind).axes(graph, op)
    channels, taps = source.shape[3], rows.filter * columns.filter
    outputs = graph.outputs_of(op)[0].shape[3]
    int8 = weights.dtype is DType.INT8
    if int8 and ext == "mve" and channels == 1 and outputs > _MVE_TO_CONVOLUTION:
        return _im2col(rows, columns, channels, channels, ext) + weights.size, 0
    if channels != outputs or source.shape[0] != 1 or (rows.dilation, columns.dilation) != (1, 1):
        return 0, 0
    if ext == "mve":
        return 4 * _MVE_CHANNELS * taps, 0
    if weights.dtype is DType.INT4:
        return 2 * channels * taps, 0
    three_by_three = (rows.filter, columns.filter) == (3, 3) and max(rows.pad, columns.pad) <= 1
    return (2 * channels * taps if ext == "dsp" and not three_by_three else 0), 0


def _fully_connected(graph: Graph, op: Op, ext: str) -> tuple[int, int]:
    weights, target = graph.inputs_of(op)[1], graph.outputs_of(op)[0]
    outputs, depth = weights.shape
    if weights.dtype is DType.INT4:
        return 0, 0
    if len(target.shape) > 2 and depth % 4 == 0:  # runs as a 1x1 convolution
        per_channel = weights.quant is not None and len(weights.quant.scale) > 1
        return (0 if per_channel else 8 * outputs), 0
    # MVE: the kernel's sums are computed once, by AllocateTensors, where the weights are constant.
    sums = 4 * outputs if ext == "mve" else 0
    return (0, sums) if weights.is_constant else (sums, 0)


def _average_pool(graph: Graph, op: Op, ext: str) -> tuple[int, int]:
    return (4 * graph.inputs_of(op)[0].shape[3] if ext == "dsp" else 0), 0


def _batch_matmul(graph: Graph, op: Op, ext: str) -> tuple[int, int]:
    return (4 * graph.outputs_of(op)[0].shape[-1] if ext == "mve" else 0), 0


def _svdf(graph: Graph, op: Op, ext: str) -> tuple[int, int]:
    return 0, 4 * graph.inputs_of(op)[1].shape[0] if ext == "mve" else 0


_FORMULAS = {"CONV_2D": _conv, "DEPTHWISE_CONV_2D": _depthwise,
             "FULLY_CONNECTED": _fully_connected, "AVERAGE_POOL_2D": _average_pool,
             "BATCH_MATMUL": _batch_matmul, "SVDF": _svdf}


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
