"""How `random_graphs.py` draws each operator."""

from __future__ import annotations

import numpy as np

from edgekit.graph import DType, Quant
from random_graphs import Builder, recipe

IN_256THS, IN_128THS = Quant((1 / 256,), (-128,)), Quant((1 / 128,), (0,))


def activation(b: Builder) -> int:
    """A fused activation: none half of the time, RELU, RELU_N1_TO_1, RELU6."""
    return 0 if b.chance(0.5) else b.integer(1, 3)


def window(b: Builder) -> dict:
    return {"padding": b.integer(0, 1), "stride_h": b.integer(1, 3), "stride_w": b.integer(1, 3)}


def _weights(b: Builder, shape: tuple[int, ...], axis: int) -> int:
    """Weights with one scale, or one for each output channel."""
    channels = shape[axis]
    if b.chance(0.4) or channels == 1:
        return b.weights(shape, Quant((b.scale(),), (0,)))
    middle = b.scale()
    scales = tuple(float(np.float32(middle * 2.0 ** b.rng.uniform(-2, 2)))
                   for _ in range(channels))
    return b.weights(shape, Quant(scales, (0,) * channels, axis))


def _bias(b: Builder, source: int, weights: int, channels: int, missing: float = 0.2) -> int:
    """A bias with the scales of its sums, or -1 for none."""
    if b.chance(missing):
        return -1
    limit = b.pick((300, 5000, 100_000, 2**30))
    scales = tuple(float(np.float32(b.tensors[source].scale * scale))
                   for scale in b.tensors[weights].quant.scale)
    quant = Quant(scales, (0,) * len(scales), 0 if len(scales) > 1 else None)
    return b.constant(b.rng.integers(-limit, limit, channels).astype(np.int32), quant)


def _real(b: Builder, source: int, weights: int) -> float:
    return b.tensors[source].scale * b.tensors[weights].scale


@recipe("CONV_2D")
def convolution(b: Builder, kind: str) -> bool:
    source = b.any(4)
    depth, outputs = b.tensors[source].shape[3], b.integer(1, 9)
    taps = b.pick(((1, 1), (3, 3), (b.integer(1, 4), b.integer(1, 4))))
    weights = _weights(b, (outputs, *taps, depth), 0)
    dilation = (1, 1) if b.chance(0.7) else (b.integer(1, 3), b.integer(1, 3))
    return b.op(kind, (source, weights, _bias(b, source, weights, outputs)), [None],
                real=_real(b, source, weights), activation=activation(b),
                dilation_h=dilation[0], dilation_w=dilation[1], **window(b))


@recipe("DEPTHWISE_CONV_2D")
def depthwise(b: Builder, kind: str) -> bool:
    source = b.any(4)
    multiplier = b.pick((1, 1, 2, 3))
    outputs = b.tensors[source].shape[3] * multiplier
    taps = b.pick(((3, 3), (b.integer(1, 4), b.integer(1, 4))))
    weights = _weights(b, (1, *taps, outputs), 3)
    # A -1 makes the wheel's kernel read a null pointer.
    return b.op(kind, (source, weights, _bias(b, source, weights, outputs, missing=0)), [None],
                real=_real(b, source, weights), activation=activation(b),
                depth_multiplier=multiplier, **window(b))


@recipe("FULLY_CONNECTED")
def dense(b: Builder, kind: str) -> bool:
    source = b.any()
    shape, outputs = b.tensors[source].shape, b.integer(1, 12)
    kept = len(shape) > 1 and b.chance(0.4)
    depth = shape[-1] if kept or b.chance(0.5) else b.tensors[source].size
    weights = _weights(b, (outputs, depth), 0)
    return b.op(kind, (source, weights, _bias(b, source, weights, outputs)), [None],
                real=_real(b, source, weights), activation=activation(b), keep_num_dims=kept)


@recipe("AVERAGE_POOL_2D", "MAX_POOL_2D")
def pooling(b: Builder, kind: str) -> bool:
    source = b.any(4)
    return b.op(kind, (source,), [b.tensors[source].quant], activation=activation(b),
                filter_height=b.integer(1, 4), filter_width=b.integer(1, 4), **window(b))


def smaller(b: Builder, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape, or one that broadcasts to it."""
    if b.chance(0.4):
        return shape
    other = tuple(1 if b.chance(0.3) else dim for dim in shape)
    return other[b.integer(0, len(other)):] if b.chance(0.2) else other


def operands(b: Builder) -> tuple[int, int]:
    """Two tensors that broadcast; either may be the smaller one, or a constant."""
    first = b.any()
    second = b.of_shape(smaller(b, b.tensors[first].shape))
    return (first, second) if b.chance(0.6) else (second, first)


@recipe("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE")
def arithmetic(b: Builder, kind: str) -> bool:
    inputs = operands(b)
    larger = max(b.tensors[i].scale for i in inputs)
    real = {"MUL": _real(b, *inputs), "SQUARED_DIFFERENCE": 4 * larger**2 / 2**14}.get(
        kind, 2 * larger / 2**20)
    options = {} if kind == "SQUARED_DIFFERENCE" else {"activation": activation(b)}
    return b.op(kind, inputs, [None], real=real, **options)


@recipe("PRELU")
def prelu(b: Builder, kind: str) -> bool:
    source, alpha = operands(b)
    return b.op(kind, (source, alpha), [None], real=b.tensors[source].scale)


@recipe("MINIMUM", "MAXIMUM")
def extremum(b: Builder, kind: str) -> bool:
    first = b.any()
    tensor = b.tensors[first]
    second = b.of_shape(smaller(b, tensor.shape), tensor.quant)
    return b.op(kind, (first, second) if b.chance(0.6) else (second, first), [tensor.quant])


@recipe("RELU", "HARD_SWISH", "ELU", "ABS")
def rescaled(b: Builder, kind: str) -> bool:
    source = b.any()
    return b.op(kind, (source,), [None], real=b.tensors[source].scale)


@recipe("RELU6")
def in_place(b: Builder, kind: str) -> bool:
    source = b.any()
    return b.op(kind, (source,), [b.tensors[source].quant])


@recipe("LEAKY_RELU")
def leaky_relu(b: Builder, kind: str) -> bool:
    source = b.any()
    alpha = float(np.float32(b.pick((0.1, 0.3, 0.0, -0.5, b.rng.uniform(-2, 2)))))
    return b.op(kind, (source,), [None], real=b.tensors[source].scale, alpha=alpha)


@recipe("RSQRT")
def inverse_square_root(b: Builder, kind: str) -> bool:
    source = b.input(b.shape(), quant=Quant((b.scale(),), (-128,)))
    return b.op(kind, (source,), [None])


@recipe("LOGISTIC", "TANH")
def sigmoid(b: Builder, kind: str) -> bool:
    return b.op(kind, (b.any(),), [IN_256THS if kind == "LOGISTIC" else IN_128THS])


@recipe("SOFTMAX")
def softmax(b: Builder, kind: str) -> bool:
    beta = 1.0 if b.chance(0.7) else float(np.float32(2.0 ** b.rng.uniform(-3, 3)))
    return b.op(kind, (b.any(),), [IN_256THS], beta=beta)


@recipe("QUANTIZE")
def quantize(b: Builder, kind: str) -> bool:
    if b.chance(0.3):
        # Inputs reach 1e6: what no int32 holds, TFLite Micro converts as it likes.
        quant = Quant((max(b.scale(), 2.0**-10),), (b.zero_point(),))
        return b.op(kind, (b.input(b.shape(), DType.FLOAT32),), [quant])
    source = b.any()
    return b.op(kind, (source,), [None], real=b.tensors[source].scale)


@recipe("DEQUANTIZE")
def dequantize(b: Builder, kind: str) -> bool:
    return b.op(kind, (b.any(),), [None], dtype=DType.FLOAT32)


def axes(b: Builder, rank: int) -> list[int]:
    """Some axes, each once, some from the end."""
    chosen = b.rng.permutation(rank)[:b.integer(1, rank)].tolist()
    return [axis - rank if b.chance(0.2) else axis for axis in chosen]


@recipe("MEAN", "SUM")
def sums(b: Builder, kind: str) -> bool:
    source = b.any()
    rank = len(b.tensors[source].shape)
    return b.op(kind, (source, b.integers(axes(b, rank))), [None],
                real=b.tensors[source].scale, keep_dims=b.chance(0.5))


@recipe("RESHAPE")
def reshape(b: Builder, kind: str) -> bool:
    source = b.any()
    size = b.tensors[source].size
    divisors = [d for d in range(1, size + 1) if size % d == 0]
    first = b.pick(divisors)
    wanted = b.pick(((1, size), (1, first, size // first), (1, first, 1, size // first), (size,)))
    return b.op(kind, (source, b.integers(wanted)), [b.tensors[source].quant],
                new_shape=wanted)


@recipe("PAD")
def pad(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 4))
    paddings = b.rng.integers(0, 2, (len(b.tensors[source].shape), 2), endpoint=True)
    return b.op(kind, (source, b.integers(paddings)), [b.tensors[source].quant])


@recipe("CONCATENATION")
def concatenation(b: Builder, kind: str) -> bool:
    source = b.any()
    shape, quant = b.tensors[source].shape, b.tensors[source].quant
    axis = b.integer(0, len(shape) - 1)
    others = [b.of_shape((*shape[:axis], shape[axis] if b.chance(0.5) else b.integer(1, 5),
                          *shape[axis + 1:]), quant) for _ in range(b.integer(0, 3))]
    inputs = [source, *others]
    b.rng.shuffle(inputs)
    return b.op(kind, tuple(int(i) for i in inputs), [quant],
                axis=axis - len(shape) if b.chance(0.3) else axis)


def kept(b: Builder, source: int) -> list[Quant]:
    """The output's quantization where data is moved only."""
    return [b.tensors[source].quant]


def some_axis(b: Builder, rank: int) -> int:
    """An axis, one in three counted from the end."""
    axis = b.integer(0, rank - 1)
    return axis - rank if b.chance(0.3) else axis


@recipe("TRANSPOSE")
def transpose(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 5))
    order = b.rng.permutation(len(b.tensors[source].shape))
    return b.op(kind, (source, b.integers(order)), kept(b, source))


@recipe("SQUEEZE")
def squeeze(b: Builder, kind: str) -> bool:
    source = b.any()
    shape = b.tensors[source].shape
    ones = [axis - len(shape) if b.chance(0.3) else axis
            for axis, dim in enumerate(shape) if dim == 1 and b.chance(0.7)]
    return b.op(kind, (source,), kept(b, source), squeeze_dims=tuple(ones))


@recipe("EXPAND_DIMS")
def expand_dims(b: Builder, kind: str) -> bool:
    source = b.any()
    axis = some_axis(b, len(b.tensors[source].shape) + 1)
    return b.op(kind, (source, b.integers(b.pick((axis, [axis])))), kept(b, source))


@recipe("SLICE")
def slices(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 5))
    shape = b.tensors[source].shape
    begin = [b.integer(0, dim - 1) for dim in shape]
    size = [-1 if b.chance(0.2) else b.integer(1, dim - first)
            for dim, first in zip(shape, begin)]
    return b.op(kind, (source, b.integers(begin), b.integers(size)), kept(b, source))


@recipe("STRIDED_SLICE")
def strided_slice(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 4))
    shape = b.tensors[source].shape
    strides = [b.pick((1, 1, 2, 3, -1, -2)) for _ in shape]
    limits = [[b.integer(-dim - 1, dim + 1) for dim in shape] for _ in range(2)]
    masks = {name: b.integer(0, 2 ** len(shape) - 1) for name in ("begin_mask", "end_mask")}
    shrinks = b.integer(0, 2 ** len(shape) - 1) if b.chance(0.3) else 0
    return b.op(kind, (source, *(b.integers(values) for values in (*limits, strides))),
                kept(b, source), shrink_axis_mask=shrinks, **masks)


@recipe("SPLIT")
def split(b: Builder, kind: str) -> bool:
    source = b.any()
    shape = b.tensors[source].shape
    axis = some_axis(b, len(shape))
    count = b.pick([n for n in range(1, shape[axis] + 1) if shape[axis] % n == 0 and n < 9])
    return b.op(kind, (b.integers(b.pick((axis, [axis]))), source), kept(b, source) * count,
                num_splits=count)


@recipe("SPLIT_V")
def split_v(b: Builder, kind: str) -> bool:
    source = b.any()
    shape = b.tensors[source].shape
    axis = some_axis(b, len(shape))
    cuts = sorted({0, shape[axis], *(b.integer(0, shape[axis]) for _ in range(b.integer(0, 3)))})
    sizes = np.diff(cuts)
    return b.op(kind, (source, b.integers(sizes), b.integers(axis)), kept(b, source) * len(sizes),
                num_splits=len(sizes))


@recipe("PACK")
def pack(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 4))
    tensor = b.tensors[source]
    inputs = [source, *(b.of_shape(tensor.shape, tensor.quant) for _ in range(b.integer(0, 3)))]
    b.rng.shuffle(inputs)
    return b.op(kind, tuple(int(i) for i in inputs), kept(b, source), values_count=len(inputs),
                axis=some_axis(b, len(tensor.shape) + 1))


@recipe("UNPACK")
def unpack(b: Builder, kind: str) -> bool:
    source = b.any()
    shape = b.tensors[source].shape
    axis = some_axis(b, len(shape))
    return shape[axis] < 10 and b.op(kind, (source,), kept(b, source) * shape[axis],
                                     num=shape[axis], axis=axis)


@recipe("PADV2")
def pad_with_value(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 4))
    paddings = b.rng.integers(0, 2, (len(b.tensors[source].shape), 2), endpoint=True)
    value = b.constant(np.array([b.integer(-128, 127)], np.int8), b.tensors[source].quant)
    return b.op(kind, (source, b.integers(paddings), value), kept(b, source))


@recipe("MIRROR_PAD")
def mirror_pad(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 4))
    mode = b.integer(0, 1)
    paddings = [[b.integer(0, min(3, dim - 1 + mode)) for _ in range(2)]
                for dim in b.tensors[source].shape]
    return b.op(kind, (source, b.integers(paddings)), kept(b, source), mode=mode)


@recipe("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")
def blocks(b: Builder, kind: str) -> bool:
    """Every image can go to batches; some batches are made here, to come back."""
    block = [b.integer(1, 3) for _ in range(b.integer(1, 2))]
    source = b.input((1, *(size * b.integer(1, 3) for size in block), b.integer(1, 5)))
    done = b.op("SPACE_TO_BATCH_ND", (source, b.integers(block), b.integers([[0, 0]] * len(block))),
                kept(b, source))
    if kind == "SPACE_TO_BATCH_ND" or not done:
        return done
    crops = [[b.integer(0, 1), b.integer(0, 1)] for _ in block]
    batches = b.ops[-1].outputs[0]
    return b.op(kind, (batches, b.integers(block), b.integers(crops)), kept(b, source)) or done


@recipe("SPACE_TO_DEPTH")
def space_to_depth(b: Builder, kind: str) -> bool:
    size = b.integer(1, 3)
    source = b.input((1, size * b.integer(1, 3), size * b.integer(1, 3), b.integer(1, 5)))
    return b.op(kind, (source,), kept(b, source), block_size=size)


@recipe("DEPTH_TO_SPACE")
def depth_to_space(b: Builder, kind: str) -> bool:
    size = b.integer(1, 3)
    source = b.input((1, b.integer(1, 4), b.integer(1, 4), size * size * b.integer(1, 3)))
    return b.op(kind, (source,), kept(b, source), block_size=size)


@recipe("GATHER")
def gather(b: Builder, kind: str) -> bool:
    source = b.any(b.integer(1, 4))
    shape = b.tensors[source].shape
    axis = some_axis(b, len(shape))
    numbers = b.rng.integers(0, shape[axis], b.pick(((), (1,), (4,), (2, 3))))
    return b.op(kind, (source, b.integers(numbers)), kept(b, source), axis=axis)


@recipe("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")
def resize(b: Builder, kind: str) -> bool:
    source = b.any(4)
    size = [b.integer(1, 12), b.integer(1, 12)]
    mode = b.pick(({}, {"align_corners": True}, {"half_pixel_centers": True}))
    return b.op(kind, (source, b.integers(size)), kept(b, source), **mode)


@recipe("REDUCE_MAX", "REDUCE_MIN")
def reduce_extremum(b: Builder, kind: str) -> bool:
    source = b.any()
    chosen = axes(b, len(b.tensors[source].shape))
    return b.op(kind, (source, b.integers(chosen)), kept(b, source), keep_dims=b.chance(0.5))


@recipe("ARG_MAX", "ARG_MIN")
def arg_extremum(b: Builder, kind: str) -> bool:
    source = b.any()
    axis = some_axis(b, len(b.tensors[source].shape))
    return b.op(kind, (source, b.integers([axis])), [None], dtype=DType.INT32, output_type=2)


@recipe("TRANSPOSE_CONV")
def transpose_convolution(b: Builder, kind: str) -> bool:
    source = b.any(4, largest=300)
    batches, height, width, depth = b.tensors[source].shape
    outputs, options = b.integer(1, 5), window(b)
    taps = (b.integer(1, 4), b.integer(1, 4))
    sizes = []
    for dim, tap, stride in zip((height, width), taps,
                                (options["stride_h"], options["stride_w"])):
        # Any of the sizes that a convolution makes this one of.
        least = (dim - 1) * stride + (1 if options["padding"] == 0 else tap)
        sizes.append(least + b.integer(0, stride - 1))
    weights = _weights(b, (outputs, *taps, depth), 0)
    bias = _bias(b, source, weights, outputs)
    return b.op(kind, (b.integers([batches, *sizes, outputs]), weights, source,
                       *((bias,) if bias >= 0 else ())), [None],
                real=_real(b, source, weights), activation=activation(b), **options)
