"""`edgekit prune` from the command line, on a tiny net: what is written, told and refused."""

import json

import numpy as np
import pytest
from keras_nets import keras, seeded
from test_compress_quantize import small_net, stripes

from edgekit.cli import main
from edgekit.importers.keras import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """net.keras, and stripes as training and test data."""
    path = tmp_path_factory.mktemp("prune")
    model = keras().models.clone_model(small_net())
    model = seeded(lambda: model)
    model.layers[0].name = "first"
    model.save(path / "net.keras")
    for name, seed in (("train", 0), ("test", 1)):
        data = stripes(96, seed)
        np.savez(path / f"{name}.npz", x=data.x, y=data.y)
    (path / "changes.py").write_text(
        "def shift(x, random):\n    return x + random.normal(0, .01, x.shape)\n\n"
        "def shorten(x, random):\n    return x[:, 1:]\n\nnothing = 3\n")
    return path


@pytest.fixture
def run(capsys, folder, monkeypatch):
    monkeypatch.chdir(folder)

    def run(*arguments):
        code = main(["prune", "net.keras", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_pruned_file_is_written_with_a_report_of_each_step(run, folder):
    code, out, _ = run("-o", "out.keras", "--rate", "0.5", "--granularity", "2", "--data",
                       "train.npz", "--validation", "test.npz", "--augment", "changes:shift",
                       "--epochs", "2", "--batch-size", "32", "--learning-rate", "0.01", "--json")
    document = json.loads(out)
    assert code == 0 and document["schema"] == "edgekit.prune" and document["issues"] == []
    before, pruned, tuned = document["steps"]
    assert [step["name"] for step in document["steps"]] == ["before", "pruned", "fine-tuned"]
    assert tuned["parameters"] == document["parameters_after"] == load(
        folder / "out.keras").count_params()
    assert tuned["macs"] < 0.5 * before["macs"] and tuned["int8_bytes"] < before["int8_bytes"]
    assert document["accuracy"] == tuned["accuracy"] and document["accuracy_on"] == "test.npz"
    assert document["methods"]["int8_bytes"] == "estimated"
    first = document["layers"][0]
    assert (first["before"], first["after"], len(first["kept"])) == (12, 6, 6)
    assert first["norms"][0] <= first["norms"][1] <= first["norms"][2]


def test_without_data_the_accuracy_is_unknown_and_said_to_be(run):
    code, out, err = run("-o", "plain.keras", "--method", "n:m", "--pattern", "1:4")
    assert code == 0 and "save nothing on tflm" in out and "weights" in out
    assert "was not fine-tuned" in err and "--data" in err


def test_the_same_command_writes_the_same_bytes(run, folder):
    for name in ("a.keras", "b.keras"):
        assert run("-o", name, "--threshold", "40", "--rate", "0.5")[0] == 0
    assert (folder / "a.keras").read_bytes() == (folder / "b.keras").read_bytes()


def arrays(**replaced):
    data = stripes(8, 0)
    return {"x": data.x, "y": data.y} | replaced


@pytest.mark.parametrize("stored, message", [
    (arrays(x=np.zeros((0, 8, 8, 1))), "x is empty"),
    (arrays(x=np.full((8, 8, 8, 1), np.nan)), "values that are NaN"),
    (arrays(x=np.zeros((8, 4, 4, 1))), "the model takes (8, 8, 1)"),
    (arrays(x=np.array(["text"] * 8)), "numbers are needed"),
    (arrays(y=np.arange(7)), "8 samples but 7 labels"),
    (arrays(y=np.arange(8) + 90), "the model has 3 classes"),
    ({"x": stripes(8, 0).x}, "it has no labels"),
])
def test_data_that_cannot_be_used_is_exit_2_and_nothing_is_written(run, folder, stored, message):
    np.savez(folder / "bad.npz", **stored)
    code, out, err = run("-o", "none.keras", "--rate", "0.5", "--data", "bad.npz")
    assert code == 2 and message in err and "hint:" in err and out == ""
    assert not (folder / "none.keras").exists()


@pytest.mark.parametrize("arguments, message", [
    (["--rate", "0.5", "--scope", "frist"], "did you mean 'first'"),
    (["--rate", "0.5", "--scope", "type:Conv3D"], "did you mean 'type:Conv2D'"),
    (["--rate", "0.5", "--scope", "index:99"], "there is no layer 99"),
    (["--rate", "1.5"], "the rate is 1.5"), (["--threshold", "nan"], "the threshold is nan"),
    ([], "neither a rate nor a threshold"),
    (["--rate", "0.5", "--validation", "test.npz"], "no data to train with"),
    (["--rate", "0.5", "--data", "train.npz", "--patience", "2"], "needs validation data"),
    (["--rate", "0.5", "--data", "train.npz", "--patience", "0", "--validation", "test.npz"],
     "the patience is 0"),
    (["--rate", "0.5", "--data", "train.npz", "--learning-rate", "0"], "learning rate is 0"),
    (["--rate", "0.5", "--data", "train.npz", "--batch-size", "0"], "batches of 0"),
    (["--rate", "0.5", "--data", "none.npz"], "there is no file none.npz"),
    (["--rate", "0.5", "--data", "train.npz", "--augment", "changes:shorten"], "the augmentation"),
    (["--rate", "0.5", "--data", "train.npz", "--augment", "changes:gone"], "AttributeError"),
    (["--rate", "0.5", "--data", "train.npz", "--augment", "changes:nothing"], "no augmentation"),
    (["--method", "l1-regularized", "--rate", "0.5"], "prunes by training"),
    (["--method", "l1-regularized", "--rate", "0.5", "--strength", "-1", "--data", "train.npz"],
     "the strength is -1"),
])
def test_a_wrong_option_is_exit_2_with_a_hint_and_nothing_is_written(run, folder, arguments,
                                                                     message):
    code, out, err = run("-o", "none.keras", *arguments)
    assert code == 2 and message in err and "hint:" in err and out == ""
    assert not (folder / "none.keras").exists()


def test_a_threshold_above_every_filter_keeps_one_and_names_the_layer(run):
    code, out, _ = run("-o", "one.keras", "--threshold", "1e9")
    assert code == 0 and "first" in out and "kept the strongest" in out
