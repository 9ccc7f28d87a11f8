"""Passes change no output: on random graphs that give each of them much to do, and one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from conftest import require_models
from edgekit import checks, ops, reference
from edgekit.emulators import native
from edgekit.golden import Golden
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.macs import macs_of
from edgekit.memory import lower, plan
from edgekit.model import Model, compiled_graph, load_model
from edgekit.passes import compile as compiling
from edgekit.passes.activations import fuse_activations
from edgekit.passes.channels import drop_channels
from edgekit.passes.constants import fold_constants
from edgekit.passes.padding import fold_padding
from edgekit.passes.requantize import fold_quantize
from edgekit.runtimes import aot
from edgekit.samples import default_samples
from edgekit.validation import validate


class Net:
    """A graph that grows operator by operator; `draw` decides all that is open."""

    def __init__(self, seed: int, shape=(1, 6, 6, 6)):
        self.draw, self.numbers = random.Random(seed), np.random.default_rng(seed)
        self.tensors, self.ops = [Tensor("x", shape, DType.INT8, self.quant())], []

    def quant(self) -> Quant:
        scale = float(np.float32(2 ** self.draw.uniform(-7, -3)))
        return Quant((scale,), (self.draw.choice((-128, -128, 0, 5, -37)),))

    def constant(self, array, dtype: DType, quant: Quant | None = None) -> int:
        array = np.asarray(array)
        self.tensors.append(Tensor(f"c{len(self.tensors)}", array.shape, dtype, quant,
                                   array.astype(dtype.numpy).tobytes()))
        return len(self.tensors) - 1

    def add(self, kind: str, inputs, quant: Quant | None = None, shape=None, dtype=DType.INT8,
            **options) -> int:
        """The new operator's output; its shape follows from the operator."""
        module = ops.get(kind)
        self.tensors.append(Tensor(f"t{len(self.tensors)}", shape or (1,), dtype, quant))
        target = len(self.tensors) - 1
        op = Op(kind, tuple(inputs), (target,), module.Options(**options), module.VERSIONS[0],
                len(self.ops))
        self.tensors[target] = replace(self.tensors[target],
                                       shape=module.shapes(self.graph(0, op), op)[0])
        self.ops.append(op)
        return target

    def graph(self, *outputs) -> Graph:
        extra = [item for item in outputs if isinstance(item, Op)]
        return Graph("net", tuple(self.tensors), (*self.ops, *extra), (0,),
                     tuple(i for i in outputs if not isinstance(i, Op)))

    def convolution(self, x: int, outputs: int, side: int, **options) -> int:
        """Some filters of zeros and biases far out: constant channels and dead ones."""
        depthwise = outputs == 0
        channels = self.tensors[x].shape[-1]
        outputs = outputs or channels
        shape = (1, side, side, channels) if depthwise else (outputs, side, side, channels)
        weights = self.numbers.integers(-127, 127, shape, endpoint=True)
        weights[self.numbers.random(shape) < 0.3] = 0
        if not depthwise:
            weights[..., self.numbers.random(channels) < 0.3] = 0
        scales = np.float32(2.0 ** self.numbers.uniform(-9, -6, outputs))
        axis = 3 if depthwise else 0
        bias = self.numbers.choice([0, 40, -200_000, 200_000, -3_000_000], outputs)
        w = self.constant(weights, DType.INT8,
                          Quant(tuple(map(float, scales)), (0,) * outputs, axis))
        b = self.constant(bias, DType.INT32)
        options = {"stride_w": 1, "stride_h": 1, "activation": self.draw.choice((0, 0, 1, 3)),
                   **options}
        if depthwise:
            return self.add("DEPTHWISE_CONV_2D", (x, w, b), self.quant(), depth_multiplier=1,
                            **options)
        return self.add("CONV_2D", (x, w, b), self.quant(), **options)


@cache
def random_net(seed: int) -> Graph:
    """Three to nine operators in a row, branches that are added, and what converters leave."""
    net = Net(seed)
    x = 0
    for _ in range(net.draw.randint(3, 9)):
        quant, image = net.tensors[x].quant, net.tensors[x].shape
        kind = net.draw.choice(("conv", "conv", "conv", "depthwise", "depthwise", "pad", "relu",
                                "quantize", "pool", "add"))
        if kind == "conv":
            x = net.convolution(x, net.draw.choice((3, 5, 8, 12)), net.draw.choice((1, 1, 3)))
        elif kind == "depthwise":
            x = net.convolution(x, 0, 3)
        elif kind == "pad" and image[1] >= 3:
            border = net.draw.choice((((1, 1), (1, 1)), ((0, 1), (0, 1)), ((1, 0), (2, 1))))
            pads = net.constant([(0, 0), *border, (0, 0)], DType.INT32)
            x = net.add("PAD", (x, pads), quant)
            stride = net.draw.choice((1, 2))
            x = net.convolution(x, net.draw.choice((0, 8)), 3, padding=1, stride_w=stride,
                                stride_h=stride)
        elif kind == "relu":
            x = net.add(net.draw.choice(("RELU", "RELU6")), (x,), quant)
        elif kind == "quantize" and net.draw.random() < 0.5:
            x = net.add("QUANTIZE", (x,), net.draw.choice((quant, net.quant())))
        elif kind == "quantize":
            real = net.add("DEQUANTIZE", (x,), None, dtype=DType.FLOAT32)
            x = net.add("QUANTIZE", (real,), net.draw.choice((quant, net.quant())))
        elif kind == "pool":
            x = net.add(net.draw.choice(("MAX_POOL_2D", "AVERAGE_POOL_2D")), (x,), quant,
                        filter_width=2, filter_height=2, stride_w=1, stride_h=1,
                        activation=net.draw.choice((0, 1)))
        elif kind == "add":
            low, high = (net.constant(net.numbers.integers(-128, 128, image), DType.INT8, quant)
                         for _ in range(2))
            both = net.add("ADD", (low, high), net.quant())  # of constants: computed here
            x = net.add("ADD", (x, both), net.quant())
    size = int(np.prod(net.tensors[x].shape[1:]))
    flat = net.constant((1, size), DType.INT32)
    x = net.add("RESHAPE", (x, flat), net.tensors[x].quant, new_shape=(1, size))
    return net.graph(x)


@pytest.mark.parametrize("seed", range(200))
def test_no_pass_changes_an_output(seed):
    graph = random_net(seed)
    after = compiling.compiled(checks.require_supported(graph))
    for sample in default_samples(graph, 5):
        wanted, got = reference.run(graph, sample), reference.run(after, sample)
        for op in after.ops:
            for i in op.outputs:
                np.testing.assert_array_equal(checks.part(after.tensors[i], wanted[i]), got[i])
        assert set(graph.outputs) <= set(got)
    assert len(after.file_ops) == len(graph.ops)


def test_every_pass_has_work_in_many_of_the_random_graphs():
    for run in compiling.PASSES:
        assert sum(run(graph) is not graph for graph in map(random_net, range(200))) >= 15, run.__name__


def test_generated_code_of_compiled_graphs_validates_with_the_channels_that_are_left(tmp_path):
    if not native.available():
        pytest.skip("no C compiler")
    taken = [graph for graph in map(random_net, range(60)) if drop_channels(graph) is not graph][:8]
    codes = []
    for number, graph in enumerate(taken):
        after = compiling.compiled(graph)
        calls = lower(after, ("dsp",))
        memory_plan = plan(after, calls)
        assert checks.plan_problems(after, memory_plan, calls) == []
        codes.append(aot.generate(after, memory_plan, f"net_{number}", "0" * 64, "any", calls))
    library = native.build_library(codes, tmp_path)
    for graph, code in zip(taken, codes, strict=True):
        model = Model(code.name, b"", graph)
        verdict = validate(model, native.NativeLink(code, library), default_samples(graph, 4),
                           golden=Golden(model, of_reference=True),
                           compiled=compiling.compiled(graph))
        assert verdict.ok and verdict.elements > 0


def test_a_pass_that_changes_a_value_is_found():
    net = Net(7)
    graph = net.graph(net.convolution(0, 8, 3, activation=0))
    (op,) = graph.ops
    wrong = replace(graph, tensors=tuple(
        replace(t, data=np.ones(t.size, "<i4").tobytes()) if i == op.inputs[2] else t
        for i, t in enumerate(graph.tensors)))
    assert "other values" in checks.changed_values(graph, wrong)[0]
    assert checks.changed_values(graph, graph) == []


def threshold_net(bias: int) -> Graph:
    """Two 1x1 convolutions; channel 0 of the first can reach exactly `bias` above where it would
    be seen, and RELU hides all below."""
    x = Tensor("x", (1, 1, 4, 1), DType.INT8, Quant((1.0,), (-128,)))
    eight = Quant((1.0,) * 8, (0,) * 8, 0)
    first = np.ones((8, 1, 1, 1), np.int8)
    biases = np.zeros(8, "<i4")
    biases[0] = bias - 255  # the sum is 0 .. 255 with it at most `bias`
    tensors = (x, Tensor("w", (8, 1, 1, 1), DType.INT8, eight, first.tobytes()),
               Tensor("b", (8,), DType.INT32, None, biases.tobytes()),
               Tensor("y", (1, 1, 4, 8), DType.INT8, Quant((2.0,), (-128,))),
               Tensor("v", (4, 1, 1, 8), DType.INT8, Quant((1.0,), (0,)),
                      np.ones((4, 1, 1, 8), np.int8).tobytes()),
               Tensor("z", (1, 1, 4, 4), DType.INT8, Quant((8.0,), (-128,))))
    conv = ops.get("CONV_2D").Options
    return Graph("threshold", tensors, (
        Op("CONV_2D", (0, 1, 2), (3,), conv(stride_w=1, stride_h=1, activation=1), 1, 0),
        Op("CONV_2D", (3, 4), (5,), conv(stride_w=1, stride_h=1), 1, 1)), (0,), (5,))


def test_a_dead_channel_that_one_more_of_its_bias_revives_is_not_removed():
    # Half of 1 rounds up to the first value that is seen; 0 is the last that is not.
    dead, alive = threshold_net(0), threshold_net(1)
    from edgekit.ranges import intervals
    assert [int(side[0]) for side in intervals(dead)[3]] == [-128, -128]
    assert [int(side[0]) for side in intervals(alive)[3]] == [-128, -127]
    sample = (np.full((1, 1, 4, 1), 127, np.int8),)
    assert reference.run(alive, sample)[3][..., 0].max() == -127
    # Eight channels with one dead make two whole words: none goes. Kill four, and four go.
    for graph, left in ((several(dead, 4), 4), (several(dead, 4, revived=1), 8)):
        assert drop_channels(graph).tensors[3].shape[-1] == left


def several(graph: Graph, dead: int, revived: int = 0) -> Graph:
    """As channel 0 of the graph the first `dead`; of them the last ones are `revived`."""
    bias = np.frombuffer(graph.tensors[2].data, "<i4").copy()
    bias[:dead] = bias[0]
    bias[dead - revived:dead] += 1
    tensors = list(graph.tensors)
    tensors[2] = replace(tensors[2], data=bias.tobytes())
    return replace(graph, tensors=tuple(tensors))


def test_a_constant_beside_padding_stays_unless_it_is_the_zero_point():
    for constant, left in ((-128, 4), (-100, 8)):
        graph = padded_net(constant)
        after = drop_channels(graph)
        assert after.tensors[3].shape[-1] == left
        assert checks.changed_values(graph, after) == []


def padded_net(constant: int) -> Graph:
    """A convolution with four constant channels, read by a 3x3 one with padding."""
    net = Net(3, (1, 4, 4, 2))
    net.tensors[0] = replace(net.tensors[0], quant=Quant((0.5,), (0,)))
    weights = np.ones((8, 1, 1, 2))
    weights[:4] = 0
    bias = np.where(np.arange(8) < 4, 4 * (constant + 128), 0)
    w = net.constant(weights, DType.INT8, Quant((0.25,), (0,)))
    x = net.add("CONV_2D", (0, w, net.constant(bias, DType.INT32)), Quant((0.5,), (-128,)),
                stride_w=1, stride_h=1)
    v = net.constant(np.ones((4, 3, 3, 8)), DType.INT8, Quant((1.0,), (0,)))
    return net.graph(net.add("CONV_2D", (x, v), Quant((64.0,), (-128,)), stride_w=1, stride_h=1))


def test_quantize_pairs_are_left_out_only_where_every_value_comes_back():
    for other, gone in ((False, 2), (True, 0)):
        net = Net(1)
        quant = net.tensors[0].quant
        real = net.add("DEQUANTIZE", (0,), None, dtype=DType.FLOAT32)
        x = net.add("QUANTIZE", (real,), Quant((quant.scale[0] * 1.5,), quant.zero_point)
                    if other else quant)
        graph = net.graph(net.add("RELU", (x,), net.tensors[x].quant))
        assert len(fold_quantize(graph).folded) == gone


def test_padding_that_same_would_do_otherwise_stays():
    for border, gone in ((((1, 1), (1, 1)), 1), (((2, 0), (1, 1)), 0)):
        net = Net(2)
        pads = net.constant([(0, 0), *border, (0, 0)], DType.INT32)
        x = net.add("PAD", (0, pads), net.tensors[0].quant)
        graph = net.graph(net.convolution(x, 8, 3, padding=1))
        assert len(fold_padding(graph).folded) == gone


def test_an_activation_is_fused_only_where_it_is_the_one_reader_in_the_same_scale():
    for scale, gone in ((1.0, 1), (2.0, 0)):
        net = Net(4)
        x = net.convolution(0, 4, 1, activation=0)
        quant = net.tensors[x].quant
        y = net.add("RELU", (x,), Quant((quant.scale[0] * scale,), quant.zero_point))
        assert len(fuse_activations(net.graph(y)).folded) == gone
        assert fuse_activations(net.graph(x, y)).folded == ()


def test_an_output_of_the_graph_is_not_folded_into_a_constant():
    net = Net(5)
    quant = net.quant()
    a, b = (net.constant(net.numbers.integers(-9, 9, (1, 4)), DType.INT8, quant) for _ in range(2))
    x = net.add("ADD", (a, b), quant)
    assert fold_constants(net.graph(x)).folded == ()
    y = net.add("RELU", (x,), quant)
    assert [op.kind for op in fold_constants(net.graph(y)).folded] == ["ADD"]


def test_half_of_visual_wake_words_goes():
    model = load_model(require_models() / "vww_96_int8.tflite")
    after = compiled_graph(model)
    assert sum(macs_of(after)) < 0.52 * sum(macs_of(model.graph))
    weights = [sum(t.size for op in graph.ops for t in graph.inputs_of(op)[1:2]
                   if t is not None and t.is_constant) for graph in (model.graph, after)]
    assert weights[1] < 0.18 * weights[0]
