"""Bad data on the command line: exit code 2, a sentence, a hint, and nothing is written."""

import json

import numpy as np
import pytest
from conftest import require_module
from tiny_graphs import network

from edgekit import tflite_writer
from edgekit.cli import main

SHAPE = (12, 12, 2)
RNG = np.random.default_rng(0)


def good(count=8):
    return RNG.uniform(-2, 2, (count, *SHAPE)).astype(np.float32)


def with_value(value):
    x = good()
    x[3, 1, 2, 0] = value
    return x


# What is in the file, and what must be told; the number of the sample where there is one.
ARRAYS = {
    "empty": ({"x": np.zeros((0, *SHAPE))}, "x is empty"),
    "no x": ({"images": good()}, "there is no array 'x'; it has images"),
    "nan": ({"x": with_value(np.nan)}, "1 values that are NaN, infinite or beyond float32; the "
            "first is in sample 3"),
    "infinite": ({"x": with_value(-np.inf)}, "the first is in sample 3"),
    "too large": ({"x": good().astype(np.float64) + 1e300}, "beyond float32"),
    "one axis": ({"x": np.zeros(5)}, "x has shape (5,)"),
    "text": ({"x": np.array([["a", "b"]])}, "x has dtype <U1; numbers are needed"),
    "complex": ({"x": good() * 1j}, "x has dtype complex64"),
    "objects": ({"x": np.array([{}, {}], dtype=object)}, "cannot be read"),
    "labels nan": ({"x": good(), "y": np.full(8, np.nan)}, "y has 8 values that are NaN"),
    "few labels": ({"x": good(), "y": np.zeros(5, int)}, "8 samples but 5 labels"),
}
FILES = {
    "gone.npz": (None, "there is no file"), "cut.npz": (b"PK\x03\x04cut", "cannot be read"),
    "gone.csv": (None, "there is no file"), "empty.csv": (b"", "no column is named"),
    "binary.csv": (b"\xff\xfe\x00label", "cannot be read"),
    "short.csv": (b"a,b,label\n1,2,0\n1,0\n", "row 3 has 2 columns; the header has 3"),
    "word.csv": (b"a,label\none,0\n", "row 2: could not convert"),
    "noted.txt": (b"1 2 3", "is no data source"), "gone": (None, "there is no"),
    "no_such_module:samples": (None, "ModuleNotFoundError"),
    "json:decoder": (None, "TypeError"),
}


@pytest.fixture(scope="module")
def content():
    return tflite_writer.write(network())


@pytest.fixture
def refused(tmp_path, capsys, content, monkeypatch):
    """refused(words) -> the error of a command that must fail with 2 and write nothing."""
    (tmp_path / "tiny.tflite").write_bytes(content)
    monkeypatch.chdir(tmp_path)

    def call(*words):
        before = sorted(tmp_path.iterdir())
        code = main([*map(str, words), "--json"])
        out, err = capsys.readouterr()
        document = json.loads(out)
        assert (code, document["schema"], document["exit"]) == (2, "edgekit.error", 2), out
        assert document["hint"] and "Traceback" not in err
        assert [path for path in sorted(tmp_path.iterdir()) if path.suffix != ".pyc"
                and path.name != "__pycache__"] == before
        return document["message"]
    return call


QUANTIZE = ("quantize", "tiny.tflite", "-o", "out.tflite", "--bits", "4", "--data")
VALIDATE = ("validate", "tiny.tflite", "--board", "linux_host", "--engine", "reference", "--data")


@pytest.mark.parametrize("case", ARRAYS)
def test_an_npz_with_bad_arrays_is_refused_by_every_command(refused, case):
    arrays, message = ARRAYS[case]
    np.savez("d.npz", **arrays)
    for words in (QUANTIZE, VALIDATE):
        assert message in refused(*words, "d.npz")


@pytest.mark.parametrize("name", FILES)
def test_a_source_that_cannot_be_read_is_refused_by_every_command(refused, name):
    text, message = FILES[name]
    if text is not None:
        with open(name, "wb") as file:
            file.write(text)
    for words in (QUANTIZE, VALIDATE):
        assert message in refused(*words, name)


def test_samples_that_do_not_suit_the_model_are_refused(refused):
    np.savez("d.npz", x=np.zeros((4, 12, 12, 1)))
    assert "samples have shape (12, 12, 1); the model takes (12, 12, 2)" in refused(*QUANTIZE, "d.npz")
    assert "samples of shape [12, 12, 1], input 'image' takes [12, 12, 2]" in refused(
        *VALIDATE, "d.npz")
    np.savez("d.npz", x=good(), y=np.full(8, 3))
    assert "a label is 3; the model has 3 classes" in refused(*VALIDATE, "d.npz")
    np.savez("d.npz", x=good())
    assert "no layer matches 'cnov*'" in refused(*QUANTIZE, "d.npz", "--scope", "cnov*")
    assert "9 levels are both given" in refused(*QUANTIZE, "d.npz", "--levels", "9")


def test_values_beyond_the_inputs_range_are_a_warning_with_both_ranges(tmp_path, capsys, content):
    (tmp_path / "tiny.tflite").write_bytes(content)
    for scale, told in ((1, False), (255, True)):
        np.savez(tmp_path / "d.npz", x=good() * scale)
        assert main(["validate", str(tmp_path / "tiny.tflite"), "--board", "linux_host", "--engine",
                     "reference", "--data", str(tmp_path / "d.npz"), "--json"]) == 0
        issues = json.loads(capsys.readouterr().out)["issues"]
        found = [issue for issue in issues if issue["code"] == "out_of_range"]
        assert bool(found) is told
    assert "the values of 'image' are beyond its range of -2.66 to 2.44" in found[0]["message"]
    assert found[0]["hint"]


def test_few_samples_are_a_warning(tmp_path, capsys, content):
    (tmp_path / "tiny.tflite").write_bytes(content)
    np.savez(tmp_path / "d.npz", x=good(9))
    assert main(["quantize", str(tmp_path / "tiny.tflite"), "-o", str(tmp_path / "o.tflite"),
                 "--bits", "4", "--data", str(tmp_path / "d.npz"), "--json"]) == 0
    issues = json.loads(capsys.readouterr().out)["issues"]
    assert any("9 of 9 samples" in issue["message"] for issue in issues)


def test_a_folder_of_images_without_classes_or_with_a_broken_one_is_refused(refused, tmp_path):
    require_module("PIL")
    (tmp_path / "images").mkdir()
    assert "has no images in folders by class" in refused(*VALIDATE, "images")
    (tmp_path / "images/cat").mkdir()
    (tmp_path / "images/cat/1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    assert "1.png cannot be read" in refused(*VALIDATE, "images")


@pytest.mark.slow
def test_training_commands_refuse_missing_and_wrong_labels(refused):
    require_module("tensorflow")
    from edgekit.importers.keras import import_keras
    keras = import_keras()
    model = keras.Sequential([keras.Input(SHAPE), keras.layers.Conv2D(4, 3, name="conv"),
                              keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)])
    model.save("net.keras")
    np.savez("bare.npz", x=good())
    np.savez("wrong.npz", x=good(), y=np.arange(8))
    np.savez("some.npz", x=good(), y=np.arange(8) % 3)
    prune = ("prune", "net.keras", "-o", "out.keras", "--rate", "0.5")
    quantize = ("quantize", "net.keras", "-o", "out.tflite")
    fit = ("fit", "net.keras", "-o", "out.tflite", "--board", "mps2_an385", "--max-flash", "9K")
    assert "it has no labels" in refused(*prune, "--data", "bare.npz")
    assert "a label is 7; the model has 3 classes" in refused(*prune, "--data", "wrong.npz")
    assert "it has no labels" in refused(*prune, "--data", "some.npz", "--validation", "bare.npz")
    assert "no layer matches 'cnov'" in refused(*prune, "--scope", "cnov")
    np.savez("one.npz", x=good(1))
    np.savez("flat.npz", x=np.full((4, *SHAPE), 0.5))
    assert "1 sample; at least 2 are needed" in refused(*quantize, "--data", "one.npz")
    assert "every value is 0.5: no range can be learnt" in refused(*quantize, "--data", "flat.npz")
    assert "it has no labels" in refused(*quantize, "--method", "qat", "--targets", "labels",
                                         "--data", "bare.npz")
    assert "it has no class labels" in refused(*fit, "--data", "bare.npz")
    assert "a label is 7; the model has 3 classes" in refused(*fit, "--data", "wrong.npz")
    assert "8 samples are too few" in refused(*fit, "--data", "some.npz")
    assert "it has no class labels" in refused(*fit, "--data", "some.npz", "--validation", "bare.npz")
    assert "early stopping needs validation data" in refused(
        *quantize, "--data", "some.npz", "--method", "qat", "--patience", "2")
