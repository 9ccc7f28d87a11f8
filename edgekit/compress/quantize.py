"""Full int8 post-training quantization: a Keras model or a float .tflite to int8 .tflite bytes."""

from __future__ import annotations

import numpy as np

from edgekit import data as samples
from edgekit import log, tflite
from edgekit.compress import walk
from edgekit.compress.quantize_tflite import quantize_tflite
from edgekit.data import Data
from edgekit.errors import BadModel
from edgekit.graph import DType
from edgekit.importers.keras import import_keras, symbolic
from edgekit.quiet import quiet

RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
             "Bidirectional"}


def quantize(model, data: Data, *, samples_used: int = 300) -> bytes:
    """The int8 .tflite of a Keras model: int8 input and output, batch 1, per-channel weights.

    `data.x` calibrates the ranges of the activations; of more than `samples_used` samples,
    that many are taken at even distances. `model` may also be the bytes of a float .tflite.
    The same model and data give the same bytes.

    Raises BadModel with the converter's reason, BadData for data that does not suit the
    model or shows nothing of its ranges, NotThere when a float .tflite needs a package.
    """
    x = _spread(data.x, samples_used)
    log.progress("quantizing", 0, 1, f"{len(x)} samples")
    if isinstance(model, bytes | bytearray):
        content = quantize_tflite(bytes(model), data, x)
    else:
        content = _quantize_keras(model, data, x)
    _refuse_float(content)
    log.progress("quantizing", 1, 1, f"{len(content):,} bytes")
    return content


def _quantize_keras(model, data: Data, x: np.ndarray) -> bytes:
    shape = _input_shape(symbolic(model))
    _refuse_recurrent(model)
    samples.check_calibration(data, shape)
    with quiet() as said:
        try:
            return _convert(model, shape, x)
        except Exception as error:  # the converter raises many types, and tells why on stderr
            reasons = tuple(_reasons(f"{error}\n{said()}"))
            raise BadModel(f"the model cannot be converted to int8: {reasons[0]}",
                           "replace the layer that is named, or simplify the model",
                           reasons=reasons) from error


def _input_shape(model) -> tuple[int, ...]:
    """The one input's shape without the batch; raises BadModel when it is not fixed."""
    if len(model.inputs) != 1:
        raise BadModel(f"the model has {len(model.inputs)} inputs; one is supported",
                       "concatenate the inputs outside the model")
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape:
        raise BadModel(f"the input has the shape {shape}: only the batch may be open",
                       "give keras.Input a full shape")
    return shape


def _refuse_recurrent(model) -> None:
    """Rolled recurrent layers crash the int8 converter: the process would die without a word."""
    for name, kind in _recurrent(model):
        raise BadModel(f"'{name}' is a rolled {kind}: the int8 converter crashes on its loop",
                       f"build it with unroll=True ({kind}(..., unroll=True)), or use Conv1D")


def _recurrent(model) -> list[tuple[str, str]]:
    found = []

    def visit(call: walk.Call):
        kind = type(call.layer).__name__
        inner = getattr(call.layer, "forward_layer", call.layer)
        if kind in RECURRENT and not getattr(inner, "unroll", False):
            found.append((call.layer.name, kind))
        return [None] * len(call.output_shapes)

    walk.run(model, [None] * len(model.inputs), visit)
    return found


def _refuse_float(content: bytes) -> None:
    """The converter leaves what it cannot quantize (PReLU's negation) in float, in silence."""
    graph = tflite.read(content)
    left = [f"{op.kind} '{graph.tensors[op.outputs[0]].name}'" for op in graph.ops
            if op.kind != "DEQUANTIZE" and any(graph.tensors[index].dtype is DType.FLOAT32
                                               for index in op.outputs)]
    if left:
        count = "1 operator stays" if len(left) == 1 else f"{len(left)} operators stay"
        raise BadModel(f"{count} in float: {left[0]}", "replace the layer it comes from",
                       reasons=tuple(f"{name} stays in float" for name in left))


def _spread(x: np.ndarray, count: int) -> np.ndarray:
    """At most `count` samples at even distances: data sorted by class shows all classes."""
    if len(x) <= count:
        return x
    return x[np.linspace(0, len(x) - 1, count).round().astype(int)]


def _convert(model, shape: tuple[int, ...], x: np.ndarray) -> bytes:
    import_keras()
    import tensorflow as tf
    trainable = [tf.constant(np.asarray(weight)) for weight in model.trainable_variables]
    others = [tf.constant(np.asarray(weight)) for weight in model.non_trainable_variables]

    # Weights as constants: nothing to save and load again, which takes most of the time of
    # ExportArchive. The batch of 1 leaves no SHAPE, STRIDED_SLICE or PACK in the file.
    def inference(sample):
        return model.stateless_call(trainable, others, sample, training=False)[0]

    owner = tf.Module()  # the converter asks for the object that holds the function
    owner.inference = tf.function(inference, autograph=False).get_concrete_function(
        tf.TensorSpec((1, *shape), tf.float32, name="input"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([owner.inference], owner)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in x)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _reasons(text: str) -> list[str]:
    """The lines of a converter's message that say why, the first one first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "not supported" in line.lower()]
    unique = list(dict.fromkeys(telling or lines or ["it gave no reason"]))
    return [line[:300] for line in unique[:8]]
