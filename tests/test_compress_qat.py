"""Fine-tuning through the rounding, and what is reported of each layer."""

import hashlib
import json

import numpy as np
import pytest
from keras_nets import keras, seeded
from test_compress_codebook import integers
from test_compress_quantize import small_net, stripes, tflm

from edgekit import cli, text
from edgekit.compress import codebook, fidelity, kernels
from edgekit.compress.encoding import encodings
from edgekit.compress.fake_quant import fake_quantized
from edgekit.compress.finetune import evaluate, finetune
from edgekit.compress.fold import fold
from edgekit.compress.grids import grids
from edgekit.compress.quantize import quantize, quantized
from edgekit.compress.tune import Training
from edgekit.data import make
from edgekit.errors import BadData, UsageError
from edgekit.model import model_of

pytestmark = pytest.mark.slow  # every test trains


@pytest.fixture(scope="module")
def trained():
    keras().utils.set_random_seed(0)
    return finetune(small_net(), stripes(384, 0), 10, 0, batch_size=32, learning_rate=0.01)[0]


def accuracy(content, data):
    return np.mean(tflm(content, data.x).argmax(axis=1) == data.y)


def fake(model, bits, method="linear"):
    """(fake-quantized model, its folded model)."""
    folded = fold(model)
    plan = grids([(layer.name, "") for layer in folded.layers], method, bits=bits)
    return fake_quantized(folded, encodings(folded, plan)), folded


def test_the_fake_quantized_model_computes_what_tflm_does(trained):
    data = stripes(64, 0)
    model, _ = fake(trained, 8)
    model.observe(data.x)
    rounded = np.asarray(model(data.x, training=False))
    difference = np.abs(rounded - tflm(quantize(trained, data), data.x))
    assert np.median(difference) < 0.003 and difference.mean() < 0.01


def test_gradients_reach_weights_levels_scales_and_biases(trained):
    import tensorflow as tf
    model, _ = fake(trained, 3, "kmeans")
    data = stripes(32, 0)
    model.observe(data.x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras().losses.sparse_categorical_crossentropy(
            data.y, model(data.x, training=True)))
    values = [variable.value for variable in model.trainable_variables]
    found = {variable.path: gradient for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, values), strict=True)}
    for part in ("kernel", "bias", "knots_0", "gain_0"):
        mine = [gradient for path, gradient in found.items() if part in path]
        assert mine and all(gradient is not None and np.abs(gradient).max() > 0
                            for gradient in mine), part


def test_a_levels_gradient_is_the_sum_of_its_weights_gradients():
    import tensorflow as tf

    from edgekit.compress.fake_quant import _level_of_each
    book = codebook.given(3, (-1.0, 0.0, 1.0))
    knots, values = tf.Variable([-1.0, 0.0, 1.0]), tf.constant([[-0.9, 0.1], [0.8, -0.7]])
    with tf.GradientTape() as tape:
        picked = tf.reduce_sum(_level_of_each(tf, book, values, knots) * [[1.0, 20], [300, 4000]])
    assert tape.gradient(picked, knots).numpy().tolist() == [4001, 20, 300]


def test_two_bits_need_fine_tuning_and_it_brings_them_back(trained):
    test, data = stripes(192, 1), stripes(384, 0)
    options = {"method": "kmeans", "bits": 2, "batch_size": 32}
    before = accuracy(quantize(trained, data, epochs=0, **options), test)
    content = quantize(trained, data, epochs=5, learning_rate=0.01, **options)
    assert max(values for _, values, _ in integers(content)) <= 4
    assert accuracy(content, test) >= max(before, evaluate(trained, test) - 0.05)


def test_quantization_aware_tuning_is_no_worse_than_post_training(trained):
    test, data = stripes(192, 1), stripes(384, 0)
    before = [np.asarray(weight) for weight in trained.weights]
    content = quantize(trained, data, method="qat", epochs=2, batch_size=32)
    assert accuracy(content, test) >= accuracy(quantize(trained, data), test) - 0.01
    assert all(np.array_equal(a, b) for a, b in zip(before, trained.weights, strict=True))


def test_a_given_range_is_not_tuned_away(trained):
    data = stripes(96, 0)
    found = quantized(trained, data, Training(1), levels=5, range=(-0.5, 0.5))
    assert found.history.epochs == 1
    for kernel in found.kernels.values():
        assert set(kernel.real.round(2).tolist()) <= {-0.5, -0.25, 0.0, 0.25, 0.5}


@pytest.mark.parametrize("rate, options", [(0.5, {"method": "kmeans", "bits": 2}),
                                           (0.05, {"method": "qat"})])
def test_pruned_weights_stay_zero_through_tuning(rate, options):
    model = seeded(small_net)
    layer = next(layer for layer in model.layers if type(layer).__name__ == "Dense")
    value = np.asarray(layer.kernel)
    gone = np.random.default_rng(0).random(value.shape) < rate
    layer.kernel.assign(np.where(gone, 0, value))
    found = quantized(model, stripes(96, 0), Training(1), **options)
    dense = next(kernel for kernel in found.kernels.values() if kernel.layer == layer.name)
    assert (dense.codes[gone.T] == 0).all() and gone.any()
    assert rate < 0.5 or len(np.unique(dense.codes)) <= 4


def test_the_same_seed_gives_the_same_bytes(trained):
    once, again = [hashlib.sha256(quantize(trained, stripes(64, 0), method="qat", epochs=1)
                                  ).hexdigest() for _ in range(2)]
    assert once == again


def test_tuning_for_labels_needs_them_and_following_the_float_model_does_not(trained):
    data = make(stripes(128, 0).x)
    with pytest.raises(BadData, match="no labels"):
        quantize(trained, data, method="qat", targets="labels")
    found = quantized(trained, data, Training(3), method="kmeans", bits=3)
    assert found.history.accuracy is None and found.history.loss[-1] < found.history.loss[0]


@pytest.mark.parametrize("options, message", [
    ({"method": "qat", "epochs": 0}, "0 epochs"), ({"targets": "dreams"}, "'dreams'"),
    ({"targets": "model", "augment": lambda x, random: x}, "augmented"),
])
def test_training_that_cannot_be_is_refused(trained, options, message):
    with pytest.raises(UsageError, match=message):
        quantize(trained, stripes(64, 0), **options)


def test_the_layer_that_was_damaged_is_named_first(trained):
    data = stripes(128, 0)
    names = [layer.name for layer in trained.layers if list(kernels.kernels_of(layer))]
    found = quantized(trained, data, Training(0), method="linear", bits={names[1]: 2})
    layers = fidelity.fidelity(trained, model_of(found.content, "m"), data.x[:16], found.kernels)
    assert layers[0].layer == names[1] and layers[0].values <= 4
    plain = quantized(trained, data, Training())
    whole = fidelity.fidelity(trained, model_of(plain.content, "m"), data.x[:16], plain.kernels)
    assert [one.layer for one in sorted(whole, key=lambda one: one.op) if one.values] == names
    assert min(one.snr_db for one in whole) > layers[0].snr_db + 10
    assert [one.snr_db for one in whole] == sorted(one.snr_db for one in whole)


def test_signal_to_noise_is_in_decibels_of_power():
    assert fidelity.snr_db(np.array([3.0, 4.0]), np.array([3.0, 3.5])) == pytest.approx(20)
    assert fidelity.snr_db(np.ones(2), np.ones(2)) == np.inf


def test_outputs_beyond_what_calibration_saw_are_a_warning(trained):
    data = stripes(64, 0)
    found = quantized(trained, make(data.x / 4), Training())
    layers = fidelity.fidelity(trained, model_of(found.content, "m"), data.x[:16], found.kernels)
    assert "give more typical samples" in fidelity.saturation(layers)[0]
    assert fidelity.saturation(fidelity.fidelity(
        trained, model_of(quantize(trained, data), "m"), data.x[:16])) == ()


def test_the_command_quantizes_by_method_and_reports_each_layer(trained, tmp_path, capsys):
    trained.save(tmp_path / "net.keras")
    data = stripes(64, 0)
    np.savez(tmp_path / "data.npz", x=data.x, y=data.y)
    out = tmp_path / "net.tflite"
    command = ["quantize", str(tmp_path / "net.keras"), "-o", str(out), "--data",
               str(tmp_path / "data.npz"), "--method", "piecewise-linear", "--breakpoints",
               "-1,-.2,.2,1", "--bits", "3", "--scope", "type:Conv2D", "--epochs", "0", "--json"]
    assert cli.main(command) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["method"] == "piecewise-linear" and result["bytes"] == out.stat().st_size
    assert [one["code"] for one in result["issues"]][:1] == ["calibration"]
    assert {one["kind"] for one in result["layers"] if (one["values"] or 99) <= 8} == {"CONV_2D"}
    assert "SNR dB" in text.render(result) and "the float model" in text.render(result)
    assert cli.main([*command[:6], "--bits", "type:Conv2D=3", "--bits", "9"]) == 2
    assert "9 bits" in capsys.readouterr().err
