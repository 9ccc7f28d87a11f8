"""What a model is fed with where the user gives no data, and how values become bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.errors import BadData
from edgekit.graph import DType, Graph, Tensor
from edgekit.inputs import Shapes, Values, parts

Sample = tuple[np.ndarray, ...]
TOO_MUCH = 0.01  # of an input's values beyond its range


def default_samples(graph: Graph, count: int) -> list[Sample]:
    """All lowest, all highest, all zero points, then uniform values of `default_rng(0)`."""
    tensors = [graph.tensors[i] for i in graph.inputs]
    rng = np.random.default_rng(0)
    found: list[Sample] = []
    for value in (_lowest, _highest, _zero):
        found.append(tuple(np.full(t.shape, value(t), t.dtype.numpy) for t in tensors))
    while len(found) < count:
        found.append(tuple(_uniform(t, rng) for t in tensors))
    return found[:count]


def random_samples(graph: Graph, count: int) -> list[Sample]:
    """Uniform values of `default_rng(0)` alone, for measuring."""
    rng = np.random.default_rng(0)
    return [tuple(_uniform(graph.tensors[i], rng) for i in graph.inputs) for _ in range(count)]


def _lowest(tensor: Tensor):
    return -1.0 if tensor.dtype is DType.FLOAT32 else np.iinfo(tensor.dtype.numpy).min


def _highest(tensor: Tensor):
    return 1.0 if tensor.dtype is DType.FLOAT32 else np.iinfo(tensor.dtype.numpy).max


def _zero(tensor: Tensor):
    return tensor.zero_point if tensor.quant else 0


def _uniform(tensor: Tensor, rng: np.random.Generator) -> np.ndarray:
    if tensor.dtype is DType.FLOAT32:
        return rng.uniform(-1, 1, tensor.shape).astype(np.float32)
    info = np.iinfo(tensor.dtype.numpy)
    return rng.integers(info.min, info.max, tensor.shape, tensor.dtype.numpy, endpoint=True)


def quantize(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Real values as the tensor's integers: rounded half away from zero, saturated.

    The same arithmetic, in float32, as NAME_quantize() of the generated header.
    """
    info = np.iinfo(tensor.dtype.numpy)
    scaled = np.asarray(values, np.float32) / np.float32(tensor.scale)
    rounded = np.trunc(scaled + np.where(scaled < 0, np.float32(-0.5), np.float32(0.5)))
    return np.clip(rounded + tensor.zero_point, info.min, info.max).astype(tensor.dtype.numpy)


def dequantize(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """The tensor's integers as float32 values."""
    if tensor.quant is None:
        return np.asarray(values, np.float32)
    return (np.asarray(values, np.float32) - tensor.zero_point) * np.float32(tensor.scale)


def from_array(array: Values, graph: Graph) -> list[Sample]:
    """Samples from an array whose first axis is the sample; a tuple of them for several inputs.

    Floats are quantized with the model's scale; integers must have the input's dtype.
    """
    arrays = parts(array)
    if len(graph.inputs) != len(arrays):
        raise BadData(f"the model has {len(graph.inputs)} inputs, the data "
                      f"{'one array' if len(arrays) == 1 else f'{len(arrays)} arrays'}",
                      "give an .npz keyed by tensor name")
    columns = [_rows(np.asarray(one), graph.tensors[index], "the data")
               for one, index in zip(arrays, graph.inputs, strict=True)]
    return list(zip(*columns, strict=True))


def saturation(array: Values, graph: Graph) -> tuple[str, ...]:
    """A sentence for each input of which more than a hundredth of the real values do not fit."""
    found = []
    for values, index in zip(parts(array), graph.inputs, strict=True):
        tensor, values = graph.tensors[index], np.asarray(values)
        if tensor.dtype is DType.FLOAT32 or not np.issubdtype(values.dtype, np.floating):
            continue
        info = np.iinfo(tensor.dtype.numpy)
        low, high = (float(dequantize(end, tensor)) for end in (info.min, info.max))
        beyond = ((values < low - tensor.scale) | (values > high + tensor.scale)).mean()
        if beyond > TOO_MUCH:
            found.append(f"{beyond:.1%} of the values of '{input_name(tensor)}' are beyond its range "
                         f"of {low:.4g} to {high:.4g}, and saturate: the data reach from "
                         f"{values.min():.4g} to {values.max():.4g}")
    return tuple(found)


def input_name(tensor: Tensor) -> str:
    """The name that an input had in Keras, without what TensorFlow's converter puts around it."""
    return tensor.name.removeprefix("serving_default_").removesuffix(":0")


def input_shapes(graph: Graph) -> Shapes:
    """The shape of a sample for each input, by name where there are several (`inputs.Shapes`)."""
    tensors = [graph.tensors[index] for index in graph.inputs]
    if len(tensors) == 1:
        return tensors[0].shape[1:]
    return {input_name(tensor): tensor.shape[1:] for tensor in tensors}


def _rows(array: np.ndarray, tensor: Tensor, where: str) -> np.ndarray:
    if array.shape == tensor.shape and array.shape[:1] == (1,):
        array = array.reshape((1, *tensor.shape[1:]))
    if array.ndim == 0 or len(array) == 0:
        raise BadData(f"{where} has no samples", "the first axis is the sample")
    if array[0].size != tensor.size:
        raise BadData(f"{where} has samples of shape {list(array.shape[1:])}, input "
                      f"'{tensor.name}' takes {list(tensor.shape[1:])}",
                      "reshape the samples, or add the channel axis: x[..., None]")
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise BadData(f"{where} holds values that are not finite", "look for NaN in it")
        if tensor.dtype is not DType.FLOAT32:
            array = quantize(array, tensor)
    if array.dtype != tensor.dtype.numpy:
        raise BadData(f"{where} has dtype {array.dtype}, input '{tensor.name}' takes "
                      f"{tensor.dtype.value} or float", "real values as float32 are quantized here")
    return array.reshape(len(array), *tensor.shape)


def read_input(path: Path, graph: Graph) -> list[Sample]:
    """Samples from an .npy (one input), or an .npz keyed by tensor name."""
    try:
        loaded = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise BadData(f"{path} is not there", "give an .npy or .npz file") from error
    except (OSError, ValueError, EOFError) as error:
        raise BadData(f"{path} is not a NumPy file: {error}", "save it with numpy.save") from error
    if isinstance(loaded, np.ndarray):
        return from_array(loaded, graph)
    tensors = [graph.tensors[i] for i in graph.inputs]
    if len(tensors) == 1 and len(loaded.files) and tensors[0].name not in loaded.files:
        key = "x" if "x" in loaded.files else loaded.files[0]
        return from_array(loaded[key], graph)
    keys = [t.name if t.name in loaded.files else input_name(t) for t in tensors]
    missing = [key for key in keys if key not in loaded.files]
    if missing:
        raise BadData(f"{path} has no array '{missing[0]}'", f"it has {', '.join(loaded.files)}")
    columns = [_rows(loaded[key], t, f"'{key}'") for key, t in zip(keys, tensors, strict=True)]
    if len({len(column) for column in columns}) != 1:
        raise BadData(f"{path}: the arrays have different numbers of samples")
    return list(zip(*columns))
