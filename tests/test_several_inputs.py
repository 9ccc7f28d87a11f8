"""Models with several inputs: their data in every form, training, quantization, validation."""

import json

import numpy as np
import pytest
from conftest import require_module
from keras_nets import keras, seeded

from edgekit import data, tflite
from edgekit.cli import main
from edgekit.compression import int8_accuracy
from edgekit.errors import BadData, UsageError
from edgekit.model import model_of
from edgekit.samples import input_name

SHAPES = {"zeta": (8, 3), "alpha": (5,)}  # not in the order of the alphabet


def two_inputs():
    L = keras().layers
    zeta, alpha = (keras().Input(shape, name=name) for name, shape in SHAPES.items())
    y = L.ReLU()(L.BatchNormalization()(L.Conv1D(8, 3, name="conv")(zeta)))
    y = L.Concatenate()([L.GlobalAveragePooling1D()(y), L.Dense(6, "relu", name="side")(alpha)])
    return keras().Model([zeta, alpha], L.Dense(3, "softmax", name="out")(y))


def arrays(count=240):
    """Three classes that differ in both inputs: which axis is high, and how high."""
    rng, y = np.random.default_rng(0), np.arange(count) % 3
    zeta = rng.normal(0, .3, (count, 8, 3))
    zeta[np.arange(count), :, y] += .5
    alpha = rng.normal(0, .3, (count, 5)) + y[:, None] / 2
    return {"zeta": zeta.astype(np.float32), "alpha": alpha.astype(np.float32)}, y


def as_dict():
    return arrays()


def as_tuple():
    x, y = arrays()
    return tuple(x.values()), y


def too_few():
    x, y = arrays()
    return (x["zeta"], x["alpha"][:9]), y


def refusal(*arguments):
    with pytest.raises(BadData) as caught:
        data.check(data.load(*arguments), SHAPES)
    assert caught.value.hint
    return caught.value.message


def test_an_npz_and_functions_give_one_array_for_each_input(tmp_path):
    x, y = arrays()
    np.savez(tmp_path / "d.npz", y=y, **x)
    for source in (tmp_path / "d.npz", f"{__name__}:as_dict", f"{__name__}:as_tuple"):
        found = data.check(data.load(source, SHAPES), SHAPES, classes=3)
        assert len(found) == 240 and all(map(np.array_equal, found.x, x.values()))
        assert len(found.first(7).x[1]) == len(found.first(7).y) == 7


def test_data_that_does_not_fit_several_inputs_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", zeta=np.zeros((2, 8, 3)))
    (tmp_path / "t.csv").write_text("a,label\n1,0\n")
    assert "no array 'alpha'; it has zeta" in refusal(tmp_path / "x.npz", SHAPES)
    assert "gives one array; the model has the inputs zeta" in refusal(tmp_path / "t.csv", SHAPES)
    assert "the inputs have 240, 9 samples" in refusal(f"{__name__}:too_few", SHAPES)
    assert "x is a dictionary; the model has one input" in refusal(f"{__name__}:as_dict", (8, 3))
    with pytest.raises(BadData, match="1 array of samples; the model has 2 inputs"):
        data.check(data.make(np.zeros((2, 8, 3))), SHAPES)
    with pytest.raises(BadData, match=r"of 'alpha' have shape \(4,\); the model takes \(5,\)"):
        data.check(data.make((np.zeros((2, 8, 3)), np.zeros((2, 4)))), SHAPES)


def test_the_int8_model_of_two_inputs_computes_what_the_float_one_does():
    from edgekit.compress.methods import prune
    from edgekit.compress.quantize import quantize
    taken = data.make(*as_tuple())
    model, _ = prune(seeded(two_inputs), rate=0.5, data=taken, epochs=0)
    int8 = model_of(quantize(model, taken), "two")
    expected = np.asarray(model([part[:20] for part in taken.x])).argmax(axis=1)
    assert int8_accuracy(int8, data.make(taken.first(20).x, expected)) >= 0.9
    with pytest.raises(BadData, match="1 array of samples; the model has 2 inputs"):
        prune(model, rate=0.5, data=data.make(taken.x[0], taken.y))


@pytest.mark.slow
def test_a_model_of_two_inputs_is_pruned_tuned_quantized_and_validated(tmp_path, capsys):
    from edgekit.importers.keras import input_shapes
    keras().utils.set_random_seed(0)
    model = two_inputs()
    assert input_shapes(model) == SHAPES
    model.save(tmp_path / "two.keras")
    x, y = arrays()
    np.savez(tmp_path / "d.npz", y=y, **x)

    def run(*words):
        code = main([*map(str, words), "--json"])
        assert code == 0, capsys.readouterr()
        return json.loads(capsys.readouterr().out)

    pruned = run("prune", tmp_path / "two.keras", "-o", tmp_path / "p.keras", "--rate", "0.5",
                 "--data", tmp_path / "d.npz", "--epochs", "6", "--learning-rate", "0.03")
    assert pruned["accuracy"] > 0.9
    result = run("quantize", tmp_path / "p.keras", "-o", tmp_path / "q.tflite", "--data",
                 tmp_path / "d.npz", "--method", "qat", "--epochs", "1")
    assert result["accuracy"]["int8"] > 0.9 and all(
        one["snr_db"] > 20 for one in result["layers"] if one["kind"] in ("CONV_2D", "CONCATENATION"))
    graph = tflite.read((tmp_path / "q.tflite").read_bytes())
    assert [input_name(graph.tensors[index]) for index in graph.inputs] == list(SHAPES)
    verdict = run("validate", tmp_path / "q.tflite", "--board", "linux_host", "--engine",
                  "reference", "--data", tmp_path / "d.npz", "--samples", "30")
    assert verdict["ok"] and verdict["accuracy"] > 0.9


def test_augmentation_of_several_inputs_is_refused():
    require_module("tensorflow")
    from edgekit.compress.augment import Stream
    x, y = as_tuple()
    with pytest.raises(UsageError, match="models with one input; this has 2"):
        Stream(data.make(x, y), lambda x, random: x, 8, 0)
