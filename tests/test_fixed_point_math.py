"""The fixed-point functions are near the real ones; what no TFLM case can hold is here too."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit import checks, memory, reference
from edgekit.emulators import native
from edgekit.fixed_point_math import exp_on_negative_values, logistic, reciprocal
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.ops import softmax
from edgekit.runtimes import aot

Q31 = 2.0**31


def test_exp_is_within_a_millionth_of_the_real_one():
    a = -np.arange(0, 31 << 26, 999_983)
    assert np.abs(exp_on_negative_values(a, 5) / Q31 - np.exp(a / 2**26)).max() < 1e-6


def test_logistic_is_within_a_millionth_of_the_real_one():
    a = np.arange(-(15 << 27), 15 << 27, 999_983)
    assert np.abs(logistic(a, 4) / Q31 - 1 / (1 + np.exp(-a / 2**27))).max() < 1e-6


def test_the_reciprocal_is_within_a_hundred_millionth_of_the_real_one():
    x = np.arange(1 << 19, 2**31 - 1, 999_983)
    scale, bits = reciprocal(x, 12)
    assert np.abs(scale / Q31 / 2.0**bits * (x / 2**19) - 1).max() < 1e-8


def _softmax(depth: int) -> Graph:
    tensors = (Tensor("logits", (1, depth), DType.INT8, Quant((0.1,), (0,))),
               Tensor("classes", (1, depth), DType.INT8, Quant((1 / 256,), (-128,))))
    op = Op("SOFTMAX", (0,), (1,), softmax.Options(beta=1.0))
    return Graph("many", tensors, (op,), (0,), (1,))


@pytest.mark.parametrize("equal", (511, 512, 1023, 1024, 2048, 4095))
def test_softmax_goes_on_where_tflm_aborts_and_the_kernel_equals_the_reference(equal):
    """From 512 equal classes on TFLM stops with an assertion; the shares round to 0 there."""
    graph = _softmax(4095)
    assert checks.unsupported(graph) == []
    logits = np.full((1, 4095), -128, np.int8)
    logits[0, :equal] = 127
    expected = reference.run(graph, (logits,))[1]
    assert set(expected[0, :equal]) == {-127 if equal < 512 else -128}
    if not native.available():
        pytest.skip("a C compiler for the host is not there")
    code = aot.generate(graph, memory.plan(graph), "many", graph.sha256, "linux_host")
    with native.open_native(code) as link:
        link.load((logits.tobytes(),))
        assert link.infer().outputs[0] == expected.tobytes()
