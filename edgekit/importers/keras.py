"""Keras files (.keras, .h5, .hdf5) to a Keras 3 model; the one place TensorFlow is started."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from edgekit.errors import BadModel, NotThere, UsageError
from edgekit.inputs import Shapes
from edgekit.quiet import quiet

SUFFIXES = (".keras", ".h5", ".hdf5")


def import_keras():
    """The `keras` module on the TensorFlow backend, started without its chatter.

    Raises NotThere when TensorFlow or Keras is not installed, UsageError when the process
    already runs Keras on another backend (it cannot be changed any more).
    """
    for package in ("tensorflow", "keras"):
        if importlib.util.find_spec(package) is None:
            raise NotThere(f"the Python package {package} is not installed",
                           "pip install tensorflow; a .tflite model needs no TensorFlow")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # ~/.keras/keras.json may say otherwise
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
        with quiet():
            try:
                import tensorflow
            except ImportError as error:
                raise NotThere(f"TensorFlow is installed but does not start: {_reason(error)}",
                               "pip install --force-reinstall tensorflow") from error
        tensorflow.get_logger().setLevel("ERROR")  # advice on retracing, for authors of loops
    import keras
    if keras.backend.backend() != "tensorflow":
        raise UsageError(f"Keras already runs on {keras.backend.backend()} in this process",
                         "set KERAS_BACKEND=tensorflow before keras is imported")
    return keras


def load(path: str | os.PathLike):
    """The model in a .keras or .h5 file, not compiled, with a symbolic graph (`.inputs`).

    Files that Keras 2 wrote are accepted. Raises UsageError when there is no such file,
    BadModel with Keras's reason when it is damaged or holds something that cannot be loaded.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file {path}", "give the path of a .keras or .h5 model")
    if path.suffix.lower() not in SUFFIXES:
        raise BadModel(f"{path} is not a Keras file", f"expected one of {', '.join(SUFFIXES)}")
    keras = import_keras()
    with tempfile.TemporaryDirectory() as folder, quiet():
        try:
            source = path if path.suffix.lower() == ".keras" else _modernized(path, Path(folder))
            model = keras.models.load_model(source, compile=False)
        except Exception as error:  # Keras lets every library's own errors through
            raise BadModel(f"{path} cannot be loaded: {_reason(error)}", _hint(error)) from error
    return symbolic(model, str(path))


def input_shapes(model) -> Shapes:
    """The shape of a sample for each input, by name where there are several (`inputs.Shapes`)."""
    shapes = {tensor.name: tuple(tensor.shape[1:]) for tensor in model.inputs}
    return shapes if len(shapes) > 1 else next(iter(shapes.values()))


def symbolic(model, where: str = "the model"):
    """The model itself when it is Sequential or functional with inputs; raises BadModel if not."""
    try:
        inputs, outputs = model.inputs, model.outputs
    except (AttributeError, ValueError):
        inputs = outputs = None
    if not inputs or not outputs or not hasattr(outputs[0], "_keras_history"):
        raise BadModel(f"{where} is not a Sequential or functional Keras model with a known input",
                       "add keras.Input(shape) as its first layer, and build subclassed models "
                       "with the functional API")
    return model


def _modernized(path: Path, folder: Path) -> Path:
    """The .h5 itself, or a copy without the arguments that Keras 2 wrote and Keras 3 refuses."""
    import h5py
    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
    if text is None:
        raise ValueError("it holds weights only, no model")
    config = json.loads(text)
    if not _drop_groups(config):
        return path
    copy = Path(shutil.copy(path, folder / path.name))
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
    return copy


def _drop_groups(node) -> bool:
    """Remove `groups` from the config of depthwise layers; says whether there was one."""
    if isinstance(node, list):
        return any([_drop_groups(item) for item in node])
    if not isinstance(node, dict):
        return False
    found = any([_drop_groups(item) for item in node.values()])
    if str(node.get("class_name", "")).startswith("DepthwiseConv"):
        found |= node.get("config", {}).pop("groups", None) is not None
    return found


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _hint(error: Exception) -> str:
    text = str(error)
    if "weights only" in text:
        return "save the whole model: model.save('model.keras')"
    if "Lambda" in text or "safe_mode" in text:
        return "Lambda layers hold code, which is never run from a file: use layers instead"
    if "TFOpLambda" in text or "SlicingOpLambda" in text:
        return "the file holds TensorFlow operations of Keras 2: convert it to .tflite instead"
    if "Could not locate class" in text or "Unknown layer" in text:
        return "custom classes cannot be loaded from a file: build the model in Python"
    return "save it again with model.save('model.keras'), and check that the copy is whole"
