"""Samples and labels from the user's sources: .npz, .csv, a folder of images, a function.

    data.npz              arrays `x` and, for accuracy, `y`; of a model with several inputs, an array
                          named as each input in place of `x`
    table.csv             a header line; a column named label, y, class or target
    folder/<class>/*.png  pixels 0..255, classes in alphabetical order
    package.module:name   a function that returns (x, y) or x; x of several inputs is a dictionary by
                          their names, or a tuple in the model's order
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgekit import inputs, sources
from edgekit.errors import BadData
from edgekit.inputs import Shapes, Values

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, eq=False)
class Data:
    """`x`: float32, first axis the sample; a tuple of arrays where a model has several inputs.
    `y`: int64 class numbers (samples,), or float32 targets with the sample first, or None.
    `classes`: names of the numbers, when known."""

    x: Values
    y: np.ndarray | None
    classes: tuple[str, ...] | None
    source: str

    def __len__(self) -> int:
        return inputs.count(self.x)

    def rows(self, index) -> Data:
        """The samples of an index, a slice or a mask."""
        return replace(self, x=inputs.rows(self.x, index),
                       y=None if self.y is None else self.y[index])

    def first(self, count: int) -> Data:
        """The first `count` samples."""
        return self.rows(slice(count))


def load(source: str | os.PathLike, shape: Shapes | None = None) -> Data:
    """Samples of a source; with `shape` (no sample axis), rows and images are brought to it.

    `shape` of several inputs is a mapping from their names. Raises BadData for a source that is
    not there or not readable, and for what is in it: no samples, NaN, infinities, text or objects
    for numbers, unequal shapes or counts.
    """
    text = os.fspath(source)
    path = Path(text)
    names = inputs.names(shape) if shape else ()
    if path.suffix.lower() == ".npz" and not path.is_dir():
        return make(*sources.read_npz(_present(path), names), text)
    if _FUNCTION.fullmatch(text) and not path.exists():
        x, y, classes = sources.call_function(text)
        return make(_ordered(x, names, text), y, classes, text)
    if names and (path.is_dir() or path.suffix.lower() == ".csv"):
        raise BadData(f"{text} gives one array; the model has the inputs {', '.join(names)}",
                      "give an .npz with an array named as each, or package.module:function")
    if path.is_dir():
        return make(*sources.read_images(path, shape), text)
    if path.suffix.lower() == ".csv":
        x, y, classes = sources.read_csv(_present(path))
        return make(_shaped(x, shape), y, classes, text)
    raise BadData(f"{text} is no data source" if path.exists() else f"there is no {text}",
                  "give an .npz, a .csv, a folder of images by class, or package.module:function")


def make(x, y=None, classes: tuple[str, ...] | None = None, source: str = "the data") -> Data:
    """Data from arrays, checked as `load` does; one-hot labels become class numbers.

    `x` of several inputs is a tuple in the model's order.
    """
    several = isinstance(x, tuple)
    arrays = [_samples(part, f"input {number} of x" if several else "x", source)
              for number, part in enumerate(x if several else (x,))]
    if len({len(array) for array in arrays}) != 1:
        raise BadData(f"{source}: the inputs have {', '.join(str(len(a)) for a in arrays)} samples",
                      "every input needs the same first axis")
    if y is not None:
        y, names = _labels(y, source)
        classes = classes or names
        if len(y) != len(arrays[0]):
            raise BadData(f"{source}: {len(arrays[0])} samples but {len(y)} labels",
                          "x and y need the same first axis")
    return Data(inputs.together(arrays), y, classes, source)


def _samples(x, name: str, source: str) -> np.ndarray:
    array = _numbers(x, name, source)
    if array.ndim < 2:
        raise BadData(f"{source}: {name} has shape {array.shape}; the first axis is the sample, "
                      "and each sample needs at least one axis", "reshape x to (samples, features)")
    return array


def _ordered(x, names: tuple[str, ...], source: str):
    """Arrays by the names of the inputs as a tuple in the model's order."""
    if not isinstance(x, dict):
        return x
    missing = [name for name in names if name not in x]
    if missing or not names:
        raise BadData(f"{source}: " + (f"there is no array '{missing[0]}'" if missing else
                                       "x is a dictionary; the model has one input"),
                      f"return {', '.join(names) or 'one array'}")
    return tuple(x[name] for name in names)


def check(data: Data, shape: Shapes, *, samples: int = 1, classes: int | None = None) -> Data:
    """The data, when a model with inputs of this shape (no sample axis) can take it.

    `samples`: how many there must be at least. `classes`: labels are needed, below this
    number. Raises BadData.
    """
    arrays, shapes, names = inputs.parts(data.x), inputs.shapes_of(shape), inputs.names(shape)
    if len(arrays) != len(shapes):
        raise BadData(f"{data.source}: {_count(len(arrays), 'array')} of samples; the model has "
                      f"{_count(len(shapes), 'input')}",
                      f"give one for each of {', '.join(names)}" if names else "give one array")
    for number, (array, wanted) in enumerate(zip(arrays, shapes, strict=True)):
        have = array.shape[1:]
        if len(have) != len(wanted) or any(want is not None and got != want
                                           for got, want in zip(have, wanted, strict=True)):
            where = f" of '{names[number]}'" if names else ""
            raise BadData(f"{data.source}: samples{where} have shape {have}; the model takes "
                          f"{wanted}", "reshape x, or add the channel axis: x[..., None]")
    if len(data) < samples:
        raise BadData(f"{data.source}: {_count(len(data), 'sample')}; at least {samples} are needed",
                      "100 to 500 typical samples give good ranges")
    if classes is not None:
        check_labels(data, classes)
    return data


def check_calibration(data: Data, shape: Shapes) -> Data:
    """The data, when a model can learn the ranges of its tensors from it; raises BadData."""
    check(data, shape, samples=2)
    for array in inputs.parts(data.x):
        if array.min() == array.max():
            raise BadData(f"{data.source}: every value is {array.min():g}: no range can be learnt",
                          "give typical samples of what the device will see")
    return data


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def check_labels(data: Data, classes: int) -> Data:
    """The data, when its labels are numbers of so many classes; raises BadData."""
    if data.y is None:
        raise BadData(f"{data.source}: it has no labels", "accuracy and training need y")
    if data.y.ndim == 1 and data.y.dtype == np.int64 and classes > 1:
        worst = int(data.y.max() if data.y.max() >= classes else data.y.min())
        if not 0 <= worst < classes:
            raise BadData(f"{data.source}: a label is {worst}; the model has {classes} classes",
                          f"labels run from 0 to {classes - 1}")
    return data


def _present(path: Path) -> Path:
    if not path.is_file():
        raise BadData(f"there is no file {path}", "check the path; it is relative to this folder")
    return path


def _shaped(x: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    """Rows of a table in a sample's shape, when the counts agree; `check` speaks otherwise."""
    if shape and None not in shape and x.ndim == 2 and x.shape[1] == np.prod(shape):
        return x.reshape(len(x), *shape)
    return x


def _numbers(values, name: str, source: str) -> np.ndarray:
    array = _array(values, name, source)
    if array.dtype.kind not in "biuf":
        raise BadData(f"{source}: {name} has dtype {array.dtype}; numbers are needed",
                      "use float32, or integers such as uint8")
    if array.size == 0:
        raise BadData(f"{source}: {name} is empty, shape {array.shape}", "give some samples")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    bad = ~np.isfinite(array)
    if bad.any():
        where = int(np.argwhere(bad)[0][0]) if array.ndim else 0
        raise BadData(f"{source}: {name} has {int(bad.sum())} values that are NaN, infinite or "
                      f"beyond float32; the first is in sample {where}",
                      "drop or repair those samples")
    return array


def _array(values, name: str, source: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:  # samples of unequal shapes
        raise BadData(f"{source}: {name} is ragged: {error}",
                      "bring all samples to one shape") from error


def _labels(y, source: str) -> tuple[np.ndarray, tuple[str, ...] | None]:
    y = y if isinstance(y, np.ndarray) else _array(y, "y", source)
    if y.dtype.kind in "US":
        names, numbers = np.unique(y.ravel().astype(str), return_inverse=True)
        return numbers.astype(np.int64), tuple(names.tolist())
    whole = y.dtype.kind in "biu"
    values = _numbers(y, "y", source)
    if values.ndim == 2 and values.shape[1] > 1 and np.isin(values, (0, 1)).all() and (
            values.sum(axis=1) == 1).all():
        return values.argmax(axis=1).astype(np.int64), None
    if values.ndim == 2 and values.shape[1] == 1 and whole:
        values = values[:, 0]
    return (values.astype(np.int64) if whole else values), None
