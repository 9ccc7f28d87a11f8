"""Codebooks: levels, fits, options by scope, and that the file holds what was chosen."""

import numpy as np
import pytest
from keras_nets import NETS, inputs, keras, predict, seeded, several_ends
from test_compress_quantize import operators, small_net, stripes, tflm

from edgekit import tflite
from edgekit.compress import codebook, kernels
from edgekit.compress.carry import WEIGHTS, real_values
from edgekit.compress.fold import fold
from edgekit.compress.grids import Grid, grids
from edgekit.compress.quantize import quantize, quantized
from edgekit.compress.tune import Training, tune
from edgekit.data import make
from edgekit.errors import UsageError

LAYERS = [("stem", "Conv2D"), ("depth", "DepthwiseConv2D"), ("point", "Conv2D"), ("head", "Dense")]
WEIGHTS_LIKE = np.clip(np.random.default_rng(0).laplace(0, 0.2, 2000), -1, 1)


def test_linear_levels_include_both_ends_and_saturate():
    book = codebook.given(5, (-0.5, 1.0))
    assert book.levels.tolist() == [-0.5, -0.125, 0.25, 0.625, 1.0]
    assert codebook.codes(book, np.array([-9, -0.3, 0.1, 9])).tolist() == [-64, -16, 32, 127]


def test_three_bits_are_eight_values_where_the_common_sketch_has_two():
    weights = np.linspace(-1, 1, 1001)
    assert len(set(np.round((weights + 1) / 2))) == 2
    assert len(set(codebook.codes(codebook.given(8, (-1, 1)), weights))) == 8


def test_every_breakpoint_is_a_level_and_intervals_leave_no_gap():
    book = codebook.given(9, (-1.0, -0.25, 0.0, 0.25, 1.0))
    assert book.levels.tolist() == [-1, -0.625, -0.25, -0.125, 0, 0.125, 0.25, 0.625, 1]
    assert codebook.interpolation(8, 6).sum(axis=1).tolist() == [1] * 8


def test_levels_that_do_not_divide_go_to_the_inner_intervals():
    assert codebook.given(8, np.array([-9, -3, -1, 1, 3, 9]) / 9).levels * 9 == pytest.approx(
        [-9, -3, -2, -1, 1, 2, 3, 9])


@pytest.mark.parametrize("bits", [2, 3, 4, 6])
def test_more_freedom_fits_better(bits):
    linear, pieces, means = [codebook.squared_error(codebook.fit(WEIGHTS_LIKE, method, 2 ** bits),
                                                    WEIGHTS_LIKE) for method in codebook.METHODS]
    assert pieces < 0.95 * linear and means < 1.1 * pieces
    ends = codebook.given(2 ** bits, (WEIGHTS_LIKE.min(), WEIGHTS_LIKE.max()))
    assert linear < codebook.squared_error(ends, WEIGHTS_LIKE)


def test_kmeans_finds_values_that_are_there():
    book = codebook.fit(np.repeat([-0.75, -0.125, 0.0, 0.5], (7, 30, 11, 2)), "kmeans", 4)
    assert book.levels == pytest.approx([-0.75, -0.125, 0.0, 0.5])


@pytest.mark.parametrize("method", codebook.METHODS)
def test_a_codebook_of_pruned_weights_has_zero(method):
    book = codebook.fit(WEIGHTS_LIKE[WEIGHTS_LIKE > 0.1], method, 4, zero=True)
    assert 0 in book.levels and len(set(book.integers)) == 4


def test_layers_outside_the_scope_stay_int8_and_the_last_of_two_bits_counts():
    found = grids(LAYERS, "kmeans", "!head", {"*": 4, "type:Conv2D": 3})
    assert {name: grid.levels for name, grid in found.items()} == {
        "stem": 8, "depth": 16, "point": 8, "head": None}


def test_a_given_range_is_in_units_of_weights_unless_scales_are_per_channel():
    assert grids(LAYERS, range=(-1, 1), bits=4)["stem"] == Grid("linear", 16, (-1.0, 1.0), False)
    assert grids(LAYERS, range=(-1, 1), per_channel=True)["stem"].levels == 255
    assert grids(LAYERS)["stem"] == grids(LAYERS, bits=8)["stem"] == Grid()


@pytest.mark.parametrize("options, message", [
    ({"method": "cubic"}, "no quantization method 'cubic'"), ({"bits": 9}, "9 bits; 2 to 8"),
    ({"bits": 1}, "1 bits"), ({"levels": 300}, "300 levels"), ({"bits": 3, "levels": 8}, "both"),
    ({"range": (1, -1)}, "must be at least 2 numbers that rise"),
    ({"range": (0, np.nan)}, "numbers that rise"), ({"range": (0, 1, 2)}, "3 numbers"),
    ({"method": "kmeans", "range": (-1, 1)}, "option of linear"),
    ({"breakpoints": (-1, 1)}, "option of piecewise-linear"),
    ({"method": "piecewise-linear", "bits": 2, "breakpoints": (-1, -0.5, 0, 0.5, 1)},
     "4 levels cannot hold 5 breakpoints"),
    ({"scope": "stemm"}, "no layer matches 'stemm'"),
    ({"bits": {"stemm": 3}}, "no layer matches 'stemm'"),
])
def test_options_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(UsageError) as caught:
        grids(LAYERS, **options)
    assert message in caught.value.message and caught.value.hint


@pytest.mark.parametrize("build", NETS)
def test_a_folded_model_computes_the_same_without_batch_normalization(build):
    model = seeded(build)
    x = inputs(model, 4)
    folded = fold(model)
    expected = predict(model, x)
    assert np.abs(predict(folded, x) - expected).max() <= 1e-5 * np.abs(expected).max()
    left = [layer.name for layer in folded.layers if type(layer).__name__ == "BatchNormalization"]
    assert len(left) == (build.__name__ == "concatenated")  # it follows a Concatenate


@pytest.fixture(scope="module")
def model():
    keras().utils.set_random_seed(0)
    return seeded(small_net)


def integers(content):
    """(operator, distinct int8 weights, scales) of every operator with weights."""
    graph = tflite.read(content)
    found = [(op.kind, graph.tensors[op.inputs[1]]) for op in graph.ops if op.kind in WEIGHTS]
    return [(kind, len(np.unique(tensor.array)), len(tensor.quant.scale)) for kind, tensor in found]


@pytest.mark.parametrize("method", codebook.METHODS)
def test_the_weights_in_the_file_have_at_most_two_to_the_bits_values(model, method):
    content = quantize(model, stripes(64, 0), method=method, bits=3, epochs=0)
    assert [(values <= 8, scales > 1) for _, values, scales in integers(content)] == [
        (True, True)] * 3


def test_bits_differ_by_scope_and_the_rest_is_int8(model):
    names = [layer.name for layer in model.layers if list(kernels.kernels_of(layer))]
    bits = {names[0]: 2, names[1]: 4}
    content = quantize(model, stripes(64, 0), method="kmeans", bits=bits, epochs=0)
    first, second, last = [values for _, values, _ in integers(content)]
    assert first == 4 and second == 16 and last > 16


@pytest.mark.parametrize("build", [build for build in NETS if build is not several_ends])
def test_the_file_computes_what_the_clustered_model_does(build):
    model = seeded(build)
    x = np.random.default_rng(1).uniform(-1, 1, (32, *model.inputs[0].shape[1:]))
    data = make(x)
    found = quantized(model, data, Training(0), method="kmeans", bits=4)
    plan = grids([(layer.name, "") for layer in fold(model).layers], "kmeans", bits=4)
    clustered = tune(model, plan, data, x, Training(0))
    expected = predict(clustered.model, x.astype(np.float32))
    assert np.abs(tflm(found.content, x) - expected).max() / np.ptp(expected) < 0.1
    assert {kernel.layer for kernel in found.kernels.values()} == {
        kernel.layer for kernel in clustered.kernels}
    assert max(values for _, values, _ in integers(found.content)) <= 16


def test_a_range_in_units_of_weights_is_what_the_file_holds(model):
    content = quantize(model, stripes(64, 0), levels=5, range=(-0.5, 0.5), epochs=0)
    graph = tflite.read(content)
    for op in graph.ops:
        if op.kind in WEIGHTS:
            values = set(real_values(graph.tensors[op.inputs[1]]).round(2).tolist())
            assert values <= {-0.5, -0.25, 0.0, 0.25, 0.5} and len(values) >= 4


def test_much_beyond_a_range_is_a_warning(model):
    found = quantized(model, stripes(128, 0), Training(0), levels=9, range=(-0.2, 0.2))
    assert any("of the weights are beyond the range given" in text for text in found.warnings)
    assert not quantized(model, stripes(128, 0), Training(0), levels=9).warnings


def test_few_samples_are_a_warning(model):
    found = quantized(model, stripes(12, 0), Training(0))
    assert found.warnings[0].startswith("12 of 12 samples calibrate")


@pytest.mark.parametrize("options, most", [({}, 255), ({"method": "kmeans", "bits": 4}, 16)])
def test_one_scale_for_a_tensor_on_request(model, options, most):
    data = stripes(64, 0)
    content = quantize(model, data, per_channel=False, epochs=0, **options)
    assert [scales for _, _, scales in integers(content)] == [1, 1, 1]
    assert max(values for _, values, _ in integers(content)) <= most
    expected = predict(model, data.x)
    assert np.abs(tflm(content, data.x) - expected).mean() < 0.1


def test_int16_activations_keep_the_codebook(model):
    data = stripes(64, 0)
    content = quantize(model, data, method="kmeans", bits=4, dtype="int16x8", epochs=0)
    _, graph = operators(content)
    assert [graph.tensors[index].type for index in (*graph.inputs, *graph.outputs)] == [7, 7]
    assert max(values for _, values, _ in integers(content)) <= 16


def test_pruned_weights_stay_zero_in_a_codebook(model):
    pruned = seeded(small_net)
    kernel = next(weight for layer in pruned.layers[1:] for weight in kernels.kernels_of(layer)
                  if weight.shape[-2] == 12)
    value = np.asarray(kernel).copy()
    gone = np.random.default_rng(0).random(value.shape) < 0.6
    kernel.assign(np.where(gone, 0, value))
    content = quantize(pruned, stripes(64, 0), method="linear", bits=3, epochs=0)
    graph = tflite.read(content)
    zeros = [int((graph.tensors[op.inputs[1]].array == 0).sum()) for op in graph.ops
             if op.kind in WEIGHTS and graph.tensors[op.inputs[1]].size == value.size]
    assert max(zeros) >= gone.sum()


def test_an_int8_tflite_gets_codebooks_without_a_framework(model):
    data = stripes(64, 0)
    plain = quantize(model, data)
    names = [tflite.read(plain).tensors[op.outputs[0]].name for op in tflite.read(plain).ops]
    content = quantize(plain, data, method="kmeans", bits=4)
    assert all(8 < values <= 16 for _, values, _ in integers(content))
    assert len(content) == len(plain)
    assert np.abs(tflm(content, data.x) - tflm(plain, data.x)).mean() < 0.1
    partly = quantize(plain, data, levels=5, range=(-0.5, 0.5), scope=names[0])
    first, second, _ = [values for _, values, _ in integers(partly)]
    assert first <= 5 and second > 16
    with pytest.raises(UsageError, match="cannot be fine-tuned"):
        quantize(plain, data, method="qat")
