import numpy as np
import pytest
from conftest import require_module

from edgekit.data import check, load, make
from edgekit.errors import BadData

X = np.arange(24, dtype=np.float32).reshape(4, 3, 2)


def refusal(call, *arguments, **options):
    with pytest.raises(BadData) as caught:
        call(*arguments, **options)
    assert caught.value.hint
    return caught.value.message


def write_csv(folder, text):
    path = folder / "table.csv"
    path.write_text(text)
    return path


def test_an_npz_gives_x_and_y(tmp_path):
    np.savez(tmp_path / "d.npz", x=X.astype(np.uint8), y=np.array([0, 1, 2, 1], np.uint8))
    data = load(tmp_path / "d.npz")
    assert data.x.dtype == np.float32 and np.array_equal(data.x, X)
    assert data.y.dtype == np.int64 and data.y.tolist() == [0, 1, 2, 1]
    assert len(data.first(2)) == 2


def test_an_npz_without_labels_has_none(tmp_path):
    np.savez(tmp_path / "d.npz", x=X)
    assert load(tmp_path / "d.npz").y is None


def test_one_hot_and_named_labels_become_numbers():
    assert make(X, np.eye(4)[[2, 0, 1, 3]]).y.tolist() == [2, 0, 1, 3]
    assert make(X, np.array([[3], [1], [0], [2]])).y.tolist() == [3, 1, 0, 2]
    data = make(X, np.array(["yes", "no", "yes", "no"]))
    assert data.y.tolist() == [1, 0, 1, 0] and data.classes == ("no", "yes")


def test_float_targets_stay():
    assert make(X, np.array([0.5, 1.5, 2, 3])).y.dtype == np.float32


@pytest.mark.parametrize("x, y, message", [
    (np.zeros((0, 3)), None, "x is empty"),
    (np.float32([[1, np.nan], [np.inf, 1]]), None, "x has 2 values that are NaN"),
    (np.array([[1e300, 1.0]]), None, "beyond float32"),
    (np.array([["a", "b"]]), None, "dtype <U1"),
    (np.array([[1j, 2]]), None, "dtype complex128"),
    ([[1, 2], [3]], None, "x is ragged"),
    (np.zeros(5), None, "x has shape (5,)"),
    (X, np.zeros(3, int), "4 samples but 3 labels"),
    (X, np.array([0, 1, np.nan, 1]), "y has 1 values that are NaN"),
])
def test_bad_arrays_are_refused_by_name(x, y, message):
    assert message in refusal(make, x, y)


@pytest.mark.parametrize("shape, options, message", [
    ((3, 2, 1), {}, "samples have shape (3, 2); the model takes (3, 2, 1)"),
    ((3, 4), {}, "the model takes (3, 4)"),
    ((3, 2), {"samples": 5}, "4 samples; at least 5 are needed"),
    ((3, 2), {"classes": 2}, "a label is 2; the model has 2 classes"),
])
def test_data_that_does_not_suit_the_model_is_refused(shape, options, message):
    assert message in refusal(check, make(X, np.array([0, 1, 2, 1])), shape, **options)


def test_missing_labels_and_one_sample_are_refused():
    assert "no labels" in refusal(check, make(X), (3, 2), classes=3)
    assert "1 sample; at least 2" in refusal(check, make(X[:1]), (3, 2), samples=2)
    assert "a label is -1" in refusal(check, make(X, np.array([0, -1, 0, 0])), (3, 2), classes=3)


def test_a_dynamic_axis_takes_any_length():
    assert check(make(X), (None, 2)).x is not None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken"])
def test_a_damaged_npz_is_refused(tmp_path, content):
    path = tmp_path / "d.npz"
    path.write_bytes(content)
    assert "cannot be read" in refusal(load, path)


def test_an_npz_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "d.npz"
    np.savez_compressed(path, x=X)
    whole = path.read_bytes()
    for length in range(0, len(whole), 17):
        path.write_bytes(whole[:length])
        assert "cannot be read" in refusal(load, path)


def test_an_npz_with_other_names_or_objects_is_refused(tmp_path):
    np.savez(tmp_path / "names.npz", x_test=X)
    assert "there is no array 'x'; it has x_test" in refusal(load, tmp_path / "names.npz")
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object))
    assert "cannot be read" in refusal(load, tmp_path / "objects.npz")


def test_a_csv_gives_columns_and_labels_in_the_models_shape(tmp_path):
    path = write_csv(tmp_path, "a,b,Label,c,d\n1,2,0,3,4\n5,6,1,7,8\n")
    data = load(path, shape=(2, 2, 1))
    assert data.x.shape == (2, 2, 2, 1) and data.y.tolist() == [0, 1]
    assert data.x[1].ravel().tolist() == [5, 6, 7, 8]


def test_a_csv_with_named_labels_lists_the_classes(tmp_path):
    data = load(write_csv(tmp_path, "a,class\n1,up\n2,down\n"))
    assert data.classes == ("down", "up") and data.y.tolist() == [1, 0]


@pytest.mark.parametrize("text, message", [
    ("", "no column is named"), ("1,2,3\n4,5,6\n", "no column is named"),
    ("a,label\n", "x is empty"), ("label\n1\n", "x is empty"),
    ("a,b,label\n1,2,0\n1,0\n", "row 3 has 2 columns; the header has 3"),
    ("a,label\n1,0\nx,1\n", "row 3: could not convert"),
    ("a,label\n1,\n", "row 2 has no label"), ("a,label\nnan,1\n", "NaN"),
])
def test_a_bad_csv_is_refused_with_its_row(tmp_path, text, message):
    assert message in refusal(load, write_csv(tmp_path, text))


def save_image(path, size=(4, 3), mode="RGB"):
    from PIL import Image
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, 200 if mode == "L" else (10, 20, 30)).save(path)


def test_a_folder_gives_images_by_class(tmp_path):
    require_module("PIL")
    for name in ("cat/1.png", "cat/2.png", "ant/1.png"):
        save_image(tmp_path / name)
    data = load(tmp_path)
    assert data.x.shape == (3, 3, 4, 3) and data.x[0, 0, 0].tolist() == [10, 20, 30]
    assert data.y.tolist() == [0, 1, 1] and data.classes == ("ant", "cat")
    assert load(tmp_path, shape=(8, 6, 1)).x.shape == (3, 8, 6, 1)


def test_bad_image_folders_are_refused(tmp_path):
    require_module("PIL")
    assert "has no images" in refusal(load, tmp_path)
    save_image(tmp_path / "a" / "1.png")
    save_image(tmp_path / "a" / "2.png", size=(5, 3))
    assert "2.png has shape (3, 5, 3)" in refusal(load, tmp_path)
    (tmp_path / "a" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    assert "2.png cannot be read" in refusal(load, tmp_path)


MODULE = """
import numpy
def both(): return numpy.ones((3, 2)), [0, 1, 0]
def only(): return numpy.ones((3, 2))
def three(): return 1, 2, 3
def broken(): raise OSError("no disk")
"""


def test_a_function_of_the_users_own_gives_data(tmp_path, monkeypatch):
    (tmp_path / "own_samples.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    assert load("own_samples:both").y.tolist() == [0, 1, 0]
    assert load("own_samples:only").y is None
    assert "returned 3 values" in refusal(load, "own_samples:three")
    assert "OSError: no disk" in refusal(load, "own_samples:broken")
    assert "AttributeError" in refusal(load, "own_samples:nothing")
    assert "ModuleNotFoundError" in refusal(load, "not_own_samples:both")


@pytest.mark.parametrize("source, message", [
    ("gone.npz", "there is no file gone.npz"), ("gone.csv", "there is no file gone.csv"),
    ("gone", "there is no gone"), ("data.txt", "data.txt is no data source"),
])
def test_a_source_that_is_not_there_is_refused(tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.txt").write_text("1 2 3")
    assert message in refusal(load, source)
