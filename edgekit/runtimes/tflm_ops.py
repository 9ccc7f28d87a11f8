"""Which registration of TFLite Micro runs an operator, and which of its files hold the kernel.

Source: tensorflow/lite/micro/micro_mutable_op_resolver.h and tensorflow/lite/micro/kernels/
of TFLite Micro at commit 90b983c2.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.errors import BadModel
from edgekit.graph import DType, Graph, Op

# TFLite's name, method of MicroMutableOpResolver, kernel file without .cc.
_BUILTIN = """
    ABS Abs elementwise
    ADD Add add
    ADD_N AddN add_n
    ARG_MAX ArgMax arg_min_max
    ARG_MIN ArgMin arg_min_max
    ASSIGN_VARIABLE AssignVariable assign_variable
    AVERAGE_POOL_2D AveragePool2D pooling
    BATCH_MATMUL BatchMatMul batch_matmul
    BATCH_TO_SPACE_ND BatchToSpaceNd batch_to_space_nd
    BROADCAST_ARGS BroadcastArgs broadcast_args
    BROADCAST_TO BroadcastTo broadcast_to
    CALL_ONCE CallOnce call_once
    CAST Cast cast
    CEIL Ceil ceil
    CONCATENATION Concatenation concatenation
    CONV_2D Conv2D conv
    COS Cos elementwise
    CUMSUM CumSum cumsum
    DEPTH_TO_SPACE DepthToSpace depth_to_space
    DEPTHWISE_CONV_2D DepthwiseConv2D depthwise_conv
    DEQUANTIZE Dequantize dequantize
    DIV Div div
    DYNAMIC_UPDATE_SLICE DynamicUpdateSlice dynamic_update_slice
    ELU Elu elu
    EMBEDDING_LOOKUP EmbeddingLookup embedding_lookup
    EQUAL Equal comparisons
    EXP Exp exp
    EXPAND_DIMS ExpandDims expand_dims
    FILL Fill fill
    FLOOR Floor floor
    FLOOR_DIV FloorDiv floor_div
    FLOOR_MOD FloorMod floor_mod
    FULLY_CONNECTED FullyConnected fully_connected
    GATHER Gather gather
    GATHER_ND GatherNd gather_nd
    GREATER Greater comparisons
    GREATER_EQUAL GreaterEqual comparisons
    HARD_SWISH HardSwish hard_swish
    IF If if
    L2_NORMALIZATION L2Normalization l2norm
    L2_POOL_2D L2Pool2D l2_pool_2d
    LEAKY_RELU LeakyRelu leaky_relu
    LESS Less comparisons
    LESS_EQUAL LessEqual comparisons
    LOG Log elementwise
    LOG_SOFTMAX LogSoftmax log_softmax
    LOGICAL_AND LogicalAnd logical
    LOGICAL_NOT LogicalNot elementwise
    LOGICAL_OR LogicalOr logical
    LOGISTIC Logistic logistic
    MAX_POOL_2D MaxPool2D pooling
    MAXIMUM Maximum maximum_minimum
    MEAN Mean reduce
    MINIMUM Minimum maximum_minimum
    MIRROR_PAD MirrorPad mirror_pad
    MUL Mul mul
    NEG Neg neg
    NOT_EQUAL NotEqual comparisons
    PACK Pack pack
    PAD Pad pad
    PADV2 PadV2 pad
    PRELU Prelu prelu
    QUANTIZE Quantize quantize
    READ_VARIABLE ReadVariable read_variable
    REDUCE_ALL ReduceAll reduce
    REDUCE_MAX ReduceMax reduce
    REDUCE_MIN ReduceMin reduce
    RELU Relu activations
    RELU6 Relu6 activations
    RESHAPE Reshape reshape
    RESIZE_BILINEAR ResizeBilinear resize_bilinear
    RESIZE_NEAREST_NEIGHBOR ResizeNearestNeighbor resize_nearest_neighbor
    REVERSE_V2 ReverseV2 reverse
    ROUND Round round
    RSQRT Rsqrt elementwise
    SELECT_V2 SelectV2 select
    SHAPE Shape shape
    SIN Sin elementwise
    SLICE Slice slice
    SOFTMAX Softmax softmax
    SPACE_TO_BATCH_ND SpaceToBatchNd space_to_batch_nd
    SPACE_TO_DEPTH SpaceToDepth space_to_depth
    SPLIT Split split
    SPLIT_V SplitV split_v
    SQRT Sqrt elementwise
    SQUARE Square elementwise
    SQUARED_DIFFERENCE SquaredDifference squared_difference
    SQUEEZE Squeeze squeeze
    STRIDED_SLICE StridedSlice strided_slice
    SUB Sub sub
    SUM Sum reduce
    SVDF Svdf svdf
    TANH Tanh tanh
    TRANSPOSE Transpose transpose
    TRANSPOSE_CONV TransposeConv transpose_conv
    UNIDIRECTIONAL_SEQUENCE_LSTM UnidirectionalSequenceLSTM unidirectional_sequence_lstm
    UNPACK Unpack unpack
    VAR_HANDLE VarHandle var_handle
    WHILE While while
    ZEROS_LIKE ZerosLike zeros_like
"""

# Custom operators by their name in the file; those of signal/ live beside tensorflow/.
_CUSTOM = """
    CIRCULAR_BUFFER CircularBuffer circular_buffer
    TFLM_DECODE Decode decode
    TFLite_Detection_PostProcess DetectionPostprocess detection_postprocess
    ethos-u EthosU ethosu
    SignalDelay Delay signal/delay
    SignalEnergy Energy signal/energy
    SignalFftAutoScale FftAutoScale signal/fft_auto_scale_kernel
    SignalFilterBank FilterBank signal/filter_bank
    SignalFilterBankLog FilterBankLog signal/filter_bank_log
    SignalFilterBankSquareRoot FilterBankSquareRoot signal/filter_bank_square_root
    SignalFilterBankSpectralSubtraction FilterBankSpectralSubtraction signal/filter_bank_spectral_subtraction
    SignalFramer Framer signal/framer
    SignalIrfft Irfft signal/irfft
    SignalOverlapAdd OverlapAdd signal/overlap_add
    SignalPCAN PCAN signal/pcan
    SignalRfft Rfft signal/rfft
    SignalStacker Stacker signal/stacker
    SignalWindow Window signal/window
"""

# Registrations for int8 only, which leave the int4, int16 and float paths out of the firmware:
# TFLite's name -> header below kernels/ that declares Register_<name>_INT8().
_INT8 = {
    "ADD": "add", "AVERAGE_POOL_2D": "pooling", "BATCH_MATMUL": "batch_matmul",
    "CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise_conv",
    "FULLY_CONNECTED": "fully_connected", "MAX_POOL_2D": "pooling",
    "MAXIMUM": "maximum_minimum", "MINIMUM": "maximum_minimum", "MUL": "mul", "PAD": "pad",
    "SOFTMAX": "softmax", "SVDF": "svdf", "TRANSPOSE": "transpose",
    "TRANSPOSE_CONV": "transpose_conv",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "unidirectional_sequence_lstm",
}

# Kernels whose shared half is in a second file, <kernel>_common.cc.
_WITH_COMMON = frozenset("""activations add batch_matmul circular_buffer conv depthwise_conv
    dequantize fully_connected hard_swish leaky_relu logical logistic mul pad pooling prelu
    quantize reduce reshape softmax strided_slice sub svdf transpose""".split())
# Registrations for int4 weights only.
_INT4 = {"CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise_conv",
         "FULLY_CONNECTED": "fully_connected"}
# What else a kernel calls.
_NEEDS = {
    "circular_buffer": ("circular_buffer_flexbuffers_generated_data",),
    "decode": ("decode_state", "decode_state_huffman", "decode_state_lut", "decode_state_prune"),
    "detection_postprocess": ("detection_postprocess_flexbuffers_generated_data",),
    "unidirectional_sequence_lstm": ("lstm_eval", "lstm_eval_common"),
}


def _rows(text: str, prefix: str = "") -> dict[str, tuple[str, str]]:
    rows = (line.split() for line in text.strip().splitlines())
    return {prefix + kind: (method, kernel) for kind, method, kernel in rows}


METHODS = {**_rows(_BUILTIN), **_rows(_CUSTOM, "CUSTOM:")}


@dataclass(frozen=True, slots=True)
class Registration:
    """One entry of the op resolver: `resolver.Add<method>(tflite::<function>())`.

    `function` and `header` are None where the method's own default is the right one.
    """

    kind: str
    method: str
    function: str | None
    header: str | None


def registrations(graph: Graph) -> tuple[Registration, ...]:
    """The registrations a graph needs, one per kind of operator, sorted by name.

    BadModel names every operator that TFLite Micro does not have.
    """
    kinds = sorted({op.kind for op in graph.ops})
    unknown = [kind for kind in kinds if kind not in METHODS]
    if unknown:
        raise BadModel(f"TFLite Micro has no {unknown[0]}"
                       + (f" (and not {', '.join(unknown[1:])})" if unknown[1:] else ""),
                       "edgekit check MODEL lists what each runtime takes",
                       reasons=tuple(f"TFLite Micro has no {kind}" for kind in unknown))
    return tuple(_registration(graph, kind) for kind in kinds)


def kernel_files(graph: Graph) -> tuple[str, ...]:
    """The kernel files of a graph without .cc, those they need included, sorted."""
    files: set[str] = set()
    for kernel in {METHODS[op.kind][1] for op in graph.ops}:
        files |= {kernel, *_NEEDS.get(kernel, ())}
        if kernel in _WITH_COMMON:
            files.add(f"{kernel}_common")
    return tuple(sorted(files))


def _registration(graph: Graph, kind: str) -> Registration:
    method = METHODS[kind][0]
    ops = [op for op in graph.ops if op.kind == kind]
    if kind in _INT8 and all(_is_int8(graph, op) for op in ops):
        return Registration(kind, method, f"Register_{kind}_INT8", _INT8[kind])
    if kind in _INT4 and all(_is_int4(graph, op) for op in ops):
        return Registration(kind, method, f"Register_{kind}_INT4", _INT4[kind])
    return Registration(kind, method, None, None)


def _is_int8(graph: Graph, op: Op) -> bool:
    """Activations and weights are int8; biases and shapes are int32 in any case."""
    used = [t for t in (*graph.inputs_of(op), *graph.outputs_of(op)) if t is not None]
    return (all(t.dtype in (DType.INT8, DType.INT32) for t in used)
            and graph.outputs_of(op)[0].dtype is DType.INT8)


def _is_int4(graph: Graph, op: Op) -> bool:
    """The weights are int4; then the activations are int8."""
    return len(op.inputs) > 1 and graph.inputs_of(op)[1].dtype is DType.INT4
