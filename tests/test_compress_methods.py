"""Every pruning method with its training, on a tiny net: what is zero, gone, told, refused."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from keras_nets import (
    NETS,
    depthwise,
    inputs,
    keras,
    one_dimensional,
    predict,
    residual,
    seeded,
    sequential,
)
from test_compress_quantize import line, small_net, stripes

from edgekit import macs, tflite
from edgekit.compress import masks
from edgekit.compress.augment import Stream
from edgekit.compress.cost import cost
from edgekit.compress.finetune import evaluate, finetune
from edgekit.compress.methods import prune
from edgekit.compress.quantize import quantize
from edgekit.compress.recalibrate import recalibrate
from edgekit.compress.regularize import folded_norms, norms_after, penalized
from edgekit.compress.save import keras_bytes
from edgekit.compress.unstructured import sparsify
from edgekit.data import make
from edgekit.errors import BadData, BadModel, UsageError


@pytest.fixture(scope="module")
def trained():
    keras().utils.set_random_seed(0)
    return finetune(small_net(), stripes(384, 0), 8, 0, batch_size=32, learning_rate=0.01)[0]


def zero_rates(model):
    return {name: float((np.asarray(kernel) == 0).mean())
            for name, (_, kernel) in masks.kernels(model).items()}


def test_magnitude_masks_zero_the_smallest_weights_of_each_layer():
    value = np.array([[4.0, -1, 2], [-3, 0.5, 6]])
    assert masks.magnitude(value, 0.5).tolist() == [[True, False, False], [True, False, True]]
    assert masks.magnitude(value, None, 2.5).sum() == 3
    assert masks.magnitude(value, 0.2, 2.5).sum() == 5
    assert masks.magnitude(value, None, 99).tolist() == [[False, False, False],
                                                         [False, False, True]]


@pytest.mark.parametrize("kind, shape, filters", [
    ("Conv2D", (3, 3, 8, 5), -1), ("Conv2DTranspose", (3, 3, 5, 8), -2), ("Dense", (12, 6), -1)])
def test_a_2_4_mask_keeps_the_two_largest_of_four_neighbours_in_the_files_order(
        kind, shape, filters):
    value = np.random.default_rng(0).normal(size=shape)
    mask = masks.pattern(kind, value, 2, 4)
    rows = [np.moveaxis(a, filters, 0).reshape(shape[filters], -1, 4) for a in (value, mask)]
    assert (rows[1].sum(axis=-1) == 2).all()
    kept = np.sort(np.abs(np.where(rows[1], rows[0], 0)), axis=-1)[..., 2:]
    assert np.array_equal(kept, np.sort(np.abs(rows[0]), axis=-1)[..., 2:])


def test_the_rest_of_a_filter_that_is_no_whole_group_stays():
    mask = masks.pattern("Conv2D", np.ones((1, 1, 6, 2)), 2, 4)
    assert mask.sum() == 2 * (2 + 2)
    _, report, _ = sparsify(seeded(sequential), "n:m")
    assert "last 3 weights of each filter" in report.layers[0].note  # 3 x 3 x 3 = 27


def test_the_schedule_is_cubic_and_ends_at_the_rate():
    rates = [masks.polynomial(step, 10) for step in range(12)]
    assert rates[0] == 0 and rates[10] == rates[11] == 1 and rates[5] == 1 - 0.5 ** 3
    assert rates == sorted(rates)


@pytest.mark.parametrize("method, options, zeros", [
    ("magnitude", {"rate": 0.75}, 0.74), ("n:m", {"pattern": "2:4"}, 4 / 9)])  # 8 of 9 in groups
def test_masks_survive_fine_tuning_and_quantization(trained, method, options, zeros):
    data, test = stripes(384, 0), stripes(192, 1)
    model, report = prune(trained, method, "!dense*", data=data, epochs=5, batch_size=32,
                          learning_rate=0.01, **options)
    rates = [rate for name, rate in zero_rates(model).items() if name.startswith("conv2d")]
    assert len(rates) == 2 and min(rates) >= zeros
    assert [step.name for step in report.steps] == ["before", "pruned", "fine-tuned"]
    before, pruned, tuned = report.steps
    assert tuned.parameters == before.parameters and tuned.int8_bytes == before.int8_bytes
    assert tuned.nonzero < pruned.parameters and tuned.accuracy > 0.85
    assert any("save nothing on tflm" in note for note in report.notes)
    graph = tflite.read(quantize(model, data))
    convolutions = [graph.tensors[op.inputs[1]] for op in graph.ops if op.kind == "CONV_2D"]
    for tensor in convolutions:
        assert (tensor.array == 0).mean() >= zeros
    if method == "n:m":
        groups = convolutions[1].array.reshape(12, -1, 4)
        assert ((groups != 0).sum(axis=-1) <= 2).all()
    assert abs(evaluate(model, test) - tuned.accuracy) < 0.15


def test_zeros_stay_zeros_in_further_training_when_asked():
    model, report = prune(seeded(sequential), "magnitude", rate=0.5)
    assert report.steps[-1].nonzero < 0.55 * report.parameters_before
    data = make(inputs(model, 16), np.arange(16) % 4)
    further, _ = finetune(model, data, 1, keep_zeros=True)
    for (_, a), (_, b) in zip(masks.kernels(model).values(), masks.kernels(further).values(),
                              strict=True):
        assert np.array_equal(np.asarray(a) == 0, np.asarray(b) == 0)
        assert not np.array_equal(a, b)


def test_a_penalty_goes_to_gamma_before_a_normalization_and_to_the_kernel_elsewhere():
    model = seeded(residual)
    assert set(norms_after(model)) == {"stem", "inner", "back"}
    assert penalized({"stem", "inner", "head"}, 0.5)(model, 10) == []
    gammas = sum(np.abs(np.asarray(norms_after(model)[name].gamma)).sum()
                 for name in ("stem", "inner"))
    kernel = np.asarray(model.get_layer("head").kernel)
    groups = np.sqrt(8) * np.sqrt((kernel ** 2).sum(axis=0)).sum()
    assert float(sum(model.losses)) == pytest.approx(0.5 * (gammas + groups), rel=1e-4)


def test_norms_are_judged_with_the_normalization_folded_in():
    model = seeded(residual)
    norm, kernel = norms_after(model)["inner"], np.asarray(model.get_layer("inner").kernel)
    scale = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    np.testing.assert_allclose(folded_norms(model)["inner"],
                               np.abs(kernel * scale).sum(axis=(0, 1, 2)), rtol=1e-5)


@pytest.mark.slow
def test_l1_regularized_training_makes_filters_that_a_threshold_removes(trained):
    data = stripes(384, 0)
    model, report = prune(trained, "l1-regularized", threshold=0.05, strength=0.01, data=data,
                          epochs=10, batch_size=32, learning_rate=0.03)
    assert [step.name for step in report.steps] == ["before", "regularized", "pruned",
                                                    "fine-tuned"]
    assert [layer.after for layer in report.layers if layer.after < layer.before]
    regularized, pruned, tuned = report.steps[1:]
    assert abs(pruned.accuracy - regularized.accuracy) < 0.02  # what went did next to nothing
    assert tuned.accuracy > 0.85 and tuned.parameters < report.parameters_before
    unpenalized = folded_norms(trained)
    assert all((norms > 0.05).all() for norms in unpenalized.values())


def test_recalibration_gives_the_statistics_of_the_data():
    model = seeded(residual)
    x = inputs(model, 64)
    fresh = recalibrate(model, make(x))
    norm = norms_after(fresh)["stem"]
    convolved = np.asarray(fresh.get_layer("stem")(x))
    np.testing.assert_allclose(norm.moving_mean, convolved.mean(axis=(0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, convolved.var(axis=(0, 1, 2)), rtol=1e-4)
    assert not np.array_equal(norms_after(model)["stem"].moving_mean, norm.moving_mean)


@pytest.mark.parametrize("build", [build for build in NETS if build.__name__ != "several_ends"])
def test_recalibrating_every_wiring_changes_nothing_but_the_statistics(build):
    model = seeded(build)
    fresh = recalibrate(model, make(inputs(model, 8)))
    for old, new in zip(model.weights, fresh.weights, strict=True):
        assert "moving" in old.path or np.array_equal(old, new)


def test_recalibration_brings_a_pruned_net_back_without_training(trained):
    data = stripes(384, 0)
    wrong = make(data.x + 3, data.y)  # activations that the stored statistics do not suit
    _, report = prune(trained, rate=0, data=wrong, epochs=0)
    assert report.steps[1].accuracy > report.steps[0].accuracy + 0.2


@pytest.mark.parametrize("build", [sequential, residual, depthwise, one_dimensional])
def test_costs_are_those_of_the_int8_file(build):
    model = seeded(build)
    found = cost(model)
    graph = tflite.read(quantize(model, make(inputs(model, 8))))
    counted = sum(count or 0 for op, count in zip(graph.ops, macs.macs_of(graph), strict=True)
                  if "CONV" in op.kind or op.kind == "FULLY_CONNECTED")
    constants = sum(t.nbytes for t in graph.tensors if t.is_constant)
    assert found.parameters == model.count_params()
    assert counted == found.macs
    assert abs(constants - found.int8_bytes) <= 0.05 * constants + 32


def test_a_transposed_convolution_uses_each_weight_once_per_input_position():
    layers = keras().layers
    model = keras().Sequential([keras().Input((3, 4, 2)), layers.Conv2DTranspose(5, 2, strides=2)])
    assert cost(model).macs == 3 * 4 * (2 * 2 * 2 * 5)
    assert cost(model).int8_bytes == 2 * 2 * 2 * 5 + 4 * 5


def test_what_the_costs_of_a_layer_are_is_not_guessed():
    x = keras().Input((6, 4))
    model = keras().Model(x, keras().layers.Dense(2)(keras().layers.LSTM(3)(x)))
    assert cost(model).macs is None and cost(model).parameters == model.count_params()


def batches(augment, seed, count=6):
    return [x for (x, _), _ in zip(Stream(stripes(32, 0), augment, 8, seed), range(count))]


def shifted(x, random):
    return x + random.normal(0, 0.1, x.shape)


def test_augmentation_repeats_by_seed_and_differs_between_epochs():
    for augment in (shifted, keras().layers.RandomFlip("horizontal")):
        first, again, other = (batches(augment, seed) for seed in (1, 1, 2))
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
        assert not np.array_equal(first[0], other[0]) and not np.array_equal(first[0], first[4])


def test_every_sample_is_seen_once_in_an_epoch_with_its_label():
    data = make(np.arange(30)[:, None], np.arange(30))
    pairs = [pair for pair, _ in zip(Stream(data, lambda x, random: x * 2, 8, 0), range(4))]
    assert sorted(np.concatenate([y for _, y in pairs])) == list(range(30))
    assert all(np.array_equal(x[:, 0], 2 * y) for x, y in pairs)


@pytest.mark.parametrize("augment, message", [
    (lambda x, random: x[:, :0], "made"), (lambda x, random: x * np.nan, "NaN"),
    (lambda x, random: 1 / 0, "ZeroDivisionError")])
def test_an_augmentation_that_spoils_the_data_is_told(augment, message):
    model, data = line()
    with pytest.raises(BadData, match=message) as caught:
        finetune(model, data, 1, augment=augment)
    assert caught.value.hint


REPEAT = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from test_compress_methods import tuned
print(hashlib.sha256(tuned()).hexdigest())
"""


def tuned():
    """The file of a net pruned and fine-tuned with augmentation; its names count from 1."""
    keras().utils.clear_session()
    shift = keras().layers.RandomTranslation(0.1, 0.1)
    return keras_bytes(prune(seeded(small_net), rate=0.5, data=stripes(96, 0), epochs=2,
                             batch_size=32, augment=shift, deterministic=True)[0])


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process(request):
    program = REPEAT.format(tests=str(request.path.parent))
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           check=True)
    assert other.stdout.strip() == hashlib.sha256(tuned()).hexdigest()


def test_a_saved_model_has_no_date_and_loads(tmp_path):
    model = seeded(residual)
    content = keras_bytes(model)
    assert hashlib.sha256(content).digest() == hashlib.sha256(keras_bytes(model)).digest()
    (tmp_path / "m.keras").write_bytes(content)
    x = inputs(model, 2)
    again = keras().models.load_model(tmp_path / "m.keras")
    assert np.array_equal(predict(again, x), predict(model, x))


@pytest.mark.parametrize("options, message", [
    ({"method": "l2"}, "no pruning method 'l2'"),
    ({"method": "magnitude"}, "neither a rate nor a threshold"),
    ({"method": "magnitude", "rate": 1}, "the rate is 1"),
    ({"method": "magnitude", "threshold": -1}, "the threshold is -1"),
    ({"method": "magnitude", "rate": 0.5, "pattern": "2:4"}, "magnitude has no pattern"),
    ({"method": "magnitude", "rate": 0.5, "granularity": 4}, "no granularity"),
    ({"method": "n:m", "rate": 0.5}, "n:m has no rate"),
    ({"method": "n:m", "pattern": "4:2"}, "the pattern is '4:2'"),
    ({"method": "n:m", "pattern": "two"}, "the pattern is 'two'"),
    ({"method": "n:m", "scope": "type:Flatten"}, "no layer that n:m prunes"),
    ({"method": "n:m", "scope": "con2d*"}, "no layer matches 'con2d*'"),
    ({"rate": 0.5, "pattern": "2:4"}, "l1 has no pattern"),
    ({"rate": 0.5, "strength": 1}, "l1 has no strength"),
    ({"rate": 0.5, "epochs": -1}, "-1 epochs"),
    ({"method": "l1-regularized", "rate": 0.5}, "prunes by training"),
    ({"method": "l1-regularized"}, "neither a rate nor a threshold"),
])
def test_wrong_options_are_usage_errors(options, message):
    with pytest.raises(UsageError) as caught:
        prune(sequential(), **options)
    assert message in caught.value.message and caught.value.hint


@pytest.mark.parametrize("data, message", [
    ((np.zeros((4, 6, 6, 3)), None), "no labels"),
    ((np.zeros((4, 6, 6, 3)), [0, 1, 2, 4]), "label is 4"),
    ((np.zeros((4, 5, 6, 3)), [0, 1, 2, 3]), "the model takes"),
])
def test_data_that_does_not_suit_the_model_is_refused_before_anything_is_trained(data, message):
    with pytest.raises(BadData, match=message) as caught:
        prune(sequential(), rate=0.5, data=make(*data))
    assert caught.value.hint


def test_pruning_without_labels_is_possible_where_nothing_is_trained():
    _, report = prune(seeded(residual), rate=0.5, data=make(inputs(seeded(residual), 8)), epochs=0)
    assert [step.accuracy for step in report.steps] == [None, None]


def test_a_model_of_several_outputs_is_pruned_but_not_trained():
    L = keras().layers
    x = keras().Input((6, 6, 3))
    shared = L.GlobalAveragePooling2D()(L.Conv2D(8, 3)(x))
    model = keras().Model(x, [L.Dense(4, name="a")(shared), L.Dense(4, name="b")(shared)])
    assert prune(model, rate=0.5)[1].steps[-1].parameters < model.count_params()
    with pytest.raises(BadModel, match="2 outputs"):
        prune(model, rate=0.5, data=stripes(8, 0))
