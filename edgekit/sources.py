"""Read each kind of data source into plain arrays; `data.py` says what they must hold."""

from __future__ import annotations

import csv
import difflib
import importlib
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np

from edgekit.errors import BadData, NotThere

LABEL_COLUMNS = ("label", "y", "class", "target")
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".ppm", ".webp", ".tif",
                  ".tiff"}


def read_npz(path: Path, names: tuple[str, ...] = ()) -> tuple:
    """(x, y or None, None) of an .npz; pickled objects are never loaded.

    `names` of several inputs: x is a tuple of the arrays so named.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if names:
                return _named(archive, path, names), _y(archive), None
            if "x" not in archive.files:
                near = difflib.get_close_matches("x_test", archive.files, n=1, cutoff=0)
                raise BadData(f"{path}: there is no array 'x'; it has "
                              f"{', '.join(archive.files) or 'none'}",
                              f"np.savez(path, x={near[0] if near else 'x'}, y=...)")
            return archive["x"], _y(archive), None
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile,
            NotImplementedError, RuntimeError, MemoryError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadData(f"{path} cannot be read: {reason}",
                      "write it with np.savez(path, x=..., y=...), numbers only") from error


def _y(archive):
    return archive["y"] if "y" in archive.files else None


def _named(archive, path: Path, names: tuple[str, ...]) -> tuple:
    missing = [name for name in names if name not in archive.files]
    if missing:
        raise BadData(f"{path}: there is no array '{missing[0]}'; it has "
                      f"{', '.join(archive.files) or 'none'}",
                      f"the model's inputs are {', '.join(names)}: save each by its name")
    return tuple(archive[name] for name in names)


def read_csv(path: Path) -> tuple:
    """(x of shape (rows, columns), y, class names or None) of a table with a header line."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{path} cannot be read: {error}",
                      "save it as comma-separated UTF-8") from error
    header = [name.strip() for name in rows[0]] if rows else []
    column = next((index for wanted in LABEL_COLUMNS for index, name in enumerate(header)
                   if name.lower() == wanted), None)
    if column is None:
        raise BadData(f"{path}: no column is named {', '.join(LABEL_COLUMNS[:-1])} or "
                      f"{LABEL_COLUMNS[-1]}; the header is {', '.join(header[:8])[:80] or 'empty'}",
                      "name the label column 'label' in the first line")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise BadData(f"{path}: row {number} has {len(row)} columns; the header has "
                          f"{len(header)}", "every row needs all columns")
    labels = [row[column].strip() for row in rows[1:]]
    return (_features(path, rows[1:], header, column), *_label_numbers(path, labels))


def _features(path: Path, rows: list[list[str]], header: list[str], column: int) -> np.ndarray:
    table = np.empty((len(rows), len(header) - 1), dtype=np.float64)
    for number, row in enumerate(rows):
        cells = row[:column] + row[column + 1:]
        try:
            table[number] = [float(cell) for cell in cells]
        except ValueError as error:
            raise BadData(f"{path}: row {number + 2}: {error}",
                          "all columns but the label must be numbers") from error
    return table


def _label_numbers(path: Path, labels: list[str]) -> tuple:
    if "" in labels:
        raise BadData(f"{path}: row {labels.index('') + 2} has no label", "fill in every label")
    try:
        return np.array([int(label) for label in labels], dtype=np.int64), None
    except ValueError:
        return np.array(labels, dtype=str), None


def read_images(folder: Path, shape: tuple[int, ...] | None) -> tuple:
    """(x of shape (images, height, width, channels) in 0..255, y, class names) of a folder.

    With `shape` (height, width, 1 or 3) images are converted and resized to it; without,
    they must be equal in size. Raises NotThere when Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise NotThere("reading images needs the Python package Pillow",
                       "pip install pillow, or save the images as an .npz") from error
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [(file, number) for number, name in enumerate(classes)
             for file in sorted((folder / name).iterdir())
             if file.suffix.lower() in IMAGE_SUFFIXES]
    if not files:
        raise BadData(f"{folder} has no images in folders by class",
                      "put them as folder/<class>/<image>.png")
    images = [_read_image(Image, file, shape) for file, _ in files]
    for (file, _), image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise BadData(f"{file} has shape {image.shape}; {files[0][0]} has {images[0].shape}",
                          "bring all images to one size and one colour mode")
    return np.stack(images), np.array([number for _, number in files], np.int64), tuple(classes)


def _read_image(Image, file: Path, shape: tuple[int, ...] | None) -> np.ndarray:
    wanted = shape if shape and len(shape) == 3 and None not in shape else None
    try:
        with Image.open(file) as image:
            grey = wanted[2] == 1 if wanted else image.mode in ("1", "L", "I", "I;16")
            image = image.convert("L" if grey else "RGB")
            if wanted:
                image = image.resize((wanted[1], wanted[0]))
            pixels = np.asarray(image, dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadData(f"{file} cannot be read: {error}", "repair or remove it") from error
    return pixels[..., None] if pixels.ndim == 2 else pixels


def imported(name: str, hint: str):
    """What package.module:name stands for; the working folder can be imported from."""
    module_name, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # whatever the user's own code raises
        raise BadData(f"{name} failed: {type(error).__name__}: {error}", hint) from error
    finally:
        sys.path.remove(str(Path.cwd()))


def call_function(name: str) -> tuple:
    """(x, y or None, None) of package.module:function; the working folder can be imported from."""
    hint = "it is called without arguments and returns (x, y)"
    function = imported(name, hint)
    sys.path.insert(0, str(Path.cwd()))
    try:
        result = function()
    except Exception as error:  # whatever the user's own code raises
        raise BadData(f"{name} failed: {type(error).__name__}: {error}", hint) from error
    finally:
        sys.path.remove(str(Path.cwd()))
    if not isinstance(result, tuple):
        result = (result, None)
    if len(result) != 2:
        raise BadData(f"{name} returned {len(result)} values", "return (x, y)")
    return (*result, None)
