"""Pruned models against the same model with the removed channels set to zero, on small nets."""

import numpy as np
import pytest
from conftest import require_models
from keras_nets import (
    NETS,
    concatenated,
    inputs,
    keras,
    keras_operations,
    nested_and_shared,
    predict,
    residual,
    seeded,
    sequential,
    several_ends,
)

from edgekit.compress.prune import prune
from edgekit.compress.structure import analyse
from edgekit.compress.walk import layers_of
from edgekit.errors import BadModel, UsageError
from edgekit.importers.keras import load


def zero_removed(model, report):
    """Set to zero, in place, all weights of the filters that the report says are gone.

    ReLU, pooling and BatchNorm with zero scale and offset keep a zero channel zero, so this
    is what the smaller model must compute.
    """
    structure = analyse(model)
    gone = {int(root) for port in structure.producers() for layer in report.layers
            if layer.name == port.name for index, root in
            enumerate(structure.labels.find(port.writes)) if index not in layer.kept}
    for port in structure.ports.values():
        dead = np.isin(structure.labels.find(port.writes), sorted(gone))
        for weight in getattr(port.layer, "weights", ()):
            value = np.asarray(weight).copy()
            if weight.name == "depthwise_kernel" or not dead.any():
                continue
            if port.kind.startswith("DepthwiseConv") and weight.name == "kernel":
                value.reshape(*value.shape[:-2], -1)[..., dead] = 0
            elif port.kind == "Conv2DTranspose" and weight.name == "kernel":
                value[..., dead, :] = 0
            elif value.shape[-1] == len(dead):
                value[..., dead] = 1 if weight.name == "moving_variance" else 0
            weight.assign(value)


@pytest.mark.parametrize("build", NETS)
@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_a_pruned_net_computes_what_the_zeroed_original_computes(build, rate):
    model = seeded(build)
    x = inputs(model, 4)
    untouched = predict(model, x)
    smaller, report = prune(model, rate=rate)
    assert np.array_equal(predict(model, x), untouched)
    assert any(layer.after < layer.before for layer in report.layers)
    assert smaller.count_params() == report.parameters_after < report.parameters_before
    zero_removed(model, report)
    scale = np.abs(predict(model, x)).max()
    np.testing.assert_allclose(predict(smaller, x), predict(model, x), atol=1e-5 * max(1, scale))


@pytest.mark.parametrize("build", NETS)
def test_a_rate_of_zero_gives_an_equal_model(build):
    model = seeded(build)
    x = inputs(model, 4)
    same, report = prune(model, rate=0)
    assert report.parameters_after == report.parameters_before
    np.testing.assert_allclose(predict(same, x), predict(model, x), rtol=1e-6, atol=1e-5)


def two_dense_layers():
    dense = keras().layers.Dense
    return keras().Sequential([keras().Input((4,)), dense(6, name="hidden"), dense(2, name="out")])


def widths(report):
    return {layer.name: (layer.before, layer.after) for layer in report.layers}


def test_the_weakest_filters_by_l1_norm_go_and_the_output_layer_stays():
    model = two_dense_layers()
    kernel = np.ones((4, 6), np.float32) * np.array([5, -1, 3, -6, 2, 4], np.float32)
    model.layers[0].kernel.assign(kernel)
    smaller, report = prune(model, rate=0.5)
    assert report.layers[0].kept == (0, 3, 5)
    assert widths(report) == {"hidden": (6, 3), "out": (2, 2)}
    assert np.array_equal(smaller.get_layer("hidden").kernel, kernel[:, [0, 3, 5]])


def test_a_threshold_is_compared_with_the_l1_norm_and_a_rate_caps_it():
    model = two_dense_layers()
    model.layers[0].kernel.assign(np.ones((4, 6)) * np.array([1, 2, 3, 4, 5, 6]))
    assert prune(model, threshold=12)[1].layers[0].kept == (2, 3, 4, 5)
    assert prune(model, threshold=3)[1].layers[0].note == (
        "no filter's L1 norm is below the threshold 3; the smallest is 4")
    assert prune(model, threshold=17, rate=0.34)[1].layers[0].kept == (2, 3, 4, 5)


def test_a_threshold_above_every_filter_keeps_the_strongest_and_says_so():
    model = seeded(sequential)
    smaller, report = prune(model, threshold=1e9)
    assert [layer.after for layer in report.layers] == [1, 1, 1, 4]
    assert "kept the strongest" in report.layers[0].note
    assert any(note.startswith(report.layers[0].name) for note in report.notes)


def test_what_is_left_is_a_multiple_of_the_granularity():
    _, report = prune(seeded(residual), rate=0.5, granularity=4)
    assert widths(report) == {"stem": (8, 4), "inner": (10, 8), "back": (8, 4), "head": (3, 3)}


def test_a_granularity_and_a_rate_hold_in_every_layer_however_they_are_tied():
    model = seeded(concatenated)  # 14 filters of c are tied to 5 of a, 7 of b and the input
    assert widths(prune(model, rate=0.5)[1]) == {
        "a": (5, 3), "b": (7, 4), "c": (14, 9), "up": (6, 3), "head": (3, 3)}
    smaller, report = prune(model, rate=0.7, granularity=4)
    assert widths(report)["a"] == (5, 4) and widths(report)["b"] == (7, 4)
    assert widths(report)["c"] == (14, 10)
    assert any(note.startswith("c: 10 is no multiple of 4") or "2 of 14 cannot go" in note
               for note in report.notes)


def test_a_threshold_that_empties_a_layer_keeps_as_many_as_the_granularity_asks_for():
    report = prune(seeded(residual), threshold=1e9, granularity=4)[1]
    assert widths(report) == {"stem": (8, 4), "inner": (10, 4), "back": (8, 4), "head": (3, 3)}


def test_several_inputs_and_outputs_stay_and_what_lies_between_shrinks():
    smaller, report = prune(seeded(several_ends), rate=0.5)
    assert widths(report) == {"see": (8, 4), "feel": (8, 4), "narrow": (6, 3), "join": (10, 5),
                              "kind": (3, 3), "each": (2, 2)}
    assert [t.shape[1:] for t in smaller.inputs] == [(6, 6, 2), (8, 3)]
    assert [t.shape[1:] for t in smaller.outputs] == [(3,), (1, 2)]


def test_operations_of_keras_ops_shrink_like_layers():
    report = prune(seeded(keras_operations), rate=0.5)[1]
    assert widths(report) == {"a": (8, 4), "b": (4, 2), "c": (6, 3), "head": (3, 3)}


def test_a_residual_addition_ties_the_filters_of_both_branches():
    _, report = prune(seeded(residual), rate=0.5)
    kept = {layer.name: layer.kept for layer in report.layers}
    assert kept["stem"] == kept["back"] and len(kept["inner"]) == 5


def test_a_layer_tied_to_one_outside_the_scope_stays_and_the_report_says_why():
    _, report = prune(seeded(residual), rate=0.5, scope="inner,back")
    assert widths(report)["back"] == (8, 8) and widths(report)["inner"] == (10, 5)
    assert "back: kept whole, because it is tied to 'stem', which is not in the scope" in (
        report.notes)
    with pytest.raises(UsageError, match="tied to 'stem'"):
        prune(seeded(residual), rate=0.5, scope="back")


def test_a_method_prunes_only_its_kind_of_layer():
    reports = {method: prune(seeded(sequential), method, rate=0.5)[1]
               for method in ("l1-filter", "l1-neuron", "l1")}
    changed = {method: [layer.kind for layer in report.layers if layer.after < layer.before]
               for method, report in reports.items()}
    assert changed == {"l1-filter": ["Conv2D", "Conv2D"], "l1-neuron": ["Dense"],
                       "l1": ["Conv2D", "Conv2D", "Dense"]}


def test_an_unknown_layer_keeps_its_channels():
    x = keras().Input((6, 4))
    y = keras().layers.Conv1D(8, 1, name="before")(x)
    y = keras().layers.LayerNormalization(name="norm")(y)
    y = keras().layers.Conv1D(8, 1, name="after", activation="relu")(y)
    model = keras().Model(x, keras().layers.Dense(2)(keras().layers.Flatten()(y)))
    _, report = prune(model, rate=0.5)
    assert widths(report)["before"] == (8, 8) and widths(report)["after"] == (8, 4)
    assert any("'norm' (LayerNormalization) cannot be made smaller" in note
               for note in report.notes)


def test_nested_layers_keep_their_names_unless_two_are_equal():
    assert [name for name, kind in layers_of(seeded(nested_and_shared)) if kind == "Conv2D"] == [
        "conv", "wide", "block_conv"]


@pytest.mark.parametrize("options, message", [
    ({"rate": 1.0}, "the rate is 1.0"), ({"rate": -0.1}, "the rate is -0.1"),
    ({}, "neither a rate nor a threshold"), ({"threshold": float("nan")}, "the threshold is nan"),
    ({"rate": 0.5, "granularity": 0}, "the granularity is 0"),
    ({"rate": 0.5, "method": "l2"}, "no pruning method 'l2'"),
    ({"rate": 0.5, "scope": "type:Flatten"}, "has no layer that l1 prunes"),
    ({"rate": 0.5, "scope": "index:-1"}, "it is the model's output"),
])
def test_wrong_options_are_usage_errors(options, message):
    with pytest.raises(UsageError) as caught:
        prune(sequential(), **options)
    assert message in caught.value.message and caught.value.hint


def test_a_subclassed_model_is_refused():
    class Subclassed(keras().Model):
        def call(self, x):
            return x

    with pytest.raises(BadModel, match="not a Sequential or functional"):
        prune(Subclassed(), rate=0.5)


def test_the_public_resnet_of_keras_2_halves():
    keras()
    model = load(require_models() / "pretrainedResnet.h5")
    _, report = prune(model, rate=0.5)
    assert (report.parameters_before, report.parameters_after) == (78666, 20266)
