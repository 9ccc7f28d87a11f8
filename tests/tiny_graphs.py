"""Small models written by hand: no framework, no random stream, the same bytes for ever."""

from __future__ import annotations

import numpy as np

from edgekit import ops
from edgekit.graph import DType, Graph, Op, Quant, Tensor


def weave(shape: tuple[int, ...], low: int, high: int, dtype: str = "int8") -> bytes:
    """Values between low and high that do not repeat soon: a multiplicative sequence."""
    numbers = (np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * 2654435761) >> np.uint64(7)
    return (numbers.astype(np.int64) % (high - low + 1) + low).astype(dtype).tobytes()


def quant(scale: float, zero_point: int) -> Quant:
    """Scales are float32 in a file."""
    return Quant((float(np.float32(scale)),), (zero_point,))


def _option(kind: str, **values):
    return ops.get(kind).Options(**values)


def network() -> Graph:
    """Convolution, depthwise, 1x1 convolution, addition, mean, dense layer, softmax on 12x12x2."""
    one = quant(0.05, -3)
    tensors = [Tensor("image", (1, 12, 12, 2), DType.INT8, quant(0.02, 5))]
    operators: list[Op] = []

    def constant(name, shape, low, high, dtype=DType.INT8, scale=0.01):
        tensors.append(Tensor(name, shape, dtype, quant(scale, 0),
                              weave(shape, low, high, dtype.value)))
        return len(tensors) - 1

    def then(kind, inputs, shape, quantized=one, **options):
        tensors.append(Tensor(f"{kind.lower()}_{len(operators)}", shape, DType.INT8, quantized))
        operators.append(Op(kind, tuple(inputs), (len(tensors) - 1,), _option(kind, **options), 1,
                            len(operators)))
        return len(tensors) - 1

    x = then("CONV_2D", (0, constant("w0", (4, 3, 3, 2), -120, 120),
                         constant("b0", (4,), -900, 900, DType.INT32, 0.0002)), (1, 6, 6, 4),
             stride_w=2, stride_h=2, activation=1)
    y = then("DEPTHWISE_CONV_2D", (x, constant("w1", (1, 3, 3, 4), -90, 127),
                                   constant("b1", (4,), -500, 500, DType.INT32, 0.0005)),
             (1, 6, 6, 4),
             stride_w=1, stride_h=1, depth_multiplier=1, activation=3)
    y = then("CONV_2D", (y, constant("w2", (4, 1, 1, 4), -127, 127),
                         constant("b2", (4,), -500, 500, DType.INT32, 0.0005)), (1, 6, 6, 4),
             stride_w=1, stride_h=1)
    y = then("ADD", (x, y), (1, 6, 6, 4), quant(0.08, 7))
    y = then("MEAN", (y, _axes(tensors)), (1, 4), quant(0.03, 1))
    y = then("FULLY_CONNECTED", (y, constant("w3", (3, 4), -127, 127),
                                 constant("b3", (3,), -300, 300, DType.INT32, 0.0003)), (1, 3),
             quant(0.06, -90))
    y = then("SOFTMAX", (y,), (1, 3), quant(1 / 256, -128), beta=1.0)
    return Graph("tiny_network", tuple(tensors), tuple(operators), (0,), (y,))


def _axes(tensors: list[Tensor]) -> int:
    tensors.append(Tensor("axes", (2,), DType.INT32, None, np.array([1, 2], "<i4").tobytes()))
    return len(tensors) - 1


def two_inputs() -> Graph:
    """(left + right) through a sigmoid, and left * right: two inputs, two outputs."""
    tensors = (Tensor("left", (1, 6), DType.INT8, quant(0.02, 5)),
               Tensor("right", (1, 6), DType.INT8, quant(0.03, -9)),
               Tensor("sum", (1, 6), DType.INT8, quant(0.05, -3)),
               Tensor("probability", (1, 6), DType.INT8, quant(1 / 256, -128)),
               Tensor("product", (1, 6), DType.INT8, quant(0.1, 0)))
    operators = (Op("ADD", (0, 1), (2,), _option("ADD"), 1, 0),
                 Op("LOGISTIC", (2,), (3,), _option("LOGISTIC"), 1, 1),
                 Op("MUL", (0, 1), (4,), _option("MUL"), 1, 2))
    return Graph("two_inputs", tensors, operators, (0, 1), (3, 4))


def all_graphs() -> dict[str, Graph]:
    return {graph.name: graph for graph in (network(), two_inputs())}
