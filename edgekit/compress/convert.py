"""A Keras model to a static int8 .tflite by TensorFlow's converter, or the reason why not."""

from __future__ import annotations

import numpy as np

from edgekit import data as samples
from edgekit import inputs, tflite
from edgekit.compress import walk
from edgekit.data import Data
from edgekit.errors import BadModel
from edgekit.graph import DType
from edgekit.importers.keras import import_keras, input_shapes, symbolic
from edgekit.inputs import Shapes, Values
from edgekit.quiet import quiet

RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
             "Bidirectional"}
DTYPES = ("int8", "int16x8")


def check_convertible(model, data: Data) -> None:
    """Raise BadModel for what the converter crashes on, BadData for samples it cannot use."""
    shapes = fixed_shapes(symbolic(model))
    _refuse_recurrent(model)
    samples.check_calibration(data, shapes)


def convert(model, x: Values, *, dtype: str = "int8", per_channel: bool = True) -> bytes:
    """The int8 .tflite of a Keras model, batch 1; `x` calibrates it.

    `dtype`: that of the activations and of both ends, int8 or, for `int16x8`, int16; `float`
    quantizes nothing. Raises BadModel with the converter's reason.
    """
    with quiet() as said:
        try:
            return _convert(model, x, dtype, per_channel)
        except Exception as error:  # the converter raises many types, and tells why on stderr
            reasons = tuple(_reasons(f"{error}\n{said()}"))
            raise BadModel(f"the model cannot be converted to {dtype}: {reasons[0]}",
                           "replace the layer that is named, or simplify the model",
                           reasons=reasons) from error


def fixed_shapes(model) -> Shapes:
    """The inputs' shapes without the batch; raises BadModel when one is not fixed."""
    shapes = input_shapes(model)
    for shape in inputs.shapes_of(shapes):
        if None in shape:
            raise BadModel(f"the input has the shape {shape}: only the batch may be open",
                           "give keras.Input a full shape")
    return shapes


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


def refuse_float(content: bytes) -> None:
    """The converter leaves what it cannot quantize (PReLU's negation) in float, in silence."""
    graph = tflite.read(content)
    left = [f"{op.kind} '{graph.tensors[op.outputs[0]].name}'" for op in graph.ops
            if op.kind != "DEQUANTIZE" and any(graph.tensors[index].dtype is DType.FLOAT32
                                               for index in op.outputs)]
    if left:
        count = "1 operator stays" if len(left) == 1 else f"{len(left)} operators stay"
        raise BadModel(f"{count} in float: {left[0]}", "replace the layer it comes from, or where "
                       "you gave a .tflite, give the Keras model",
                       reasons=tuple(f"{name} stays in float" for name in left))


def _convert(model, x: Values, dtype: str, per_channel: bool) -> bytes:
    import_keras()
    import tensorflow as tf
    trainable = [tf.constant(np.asarray(weight)) for weight in model.trainable_variables]
    others = [tf.constant(np.asarray(weight)) for weight in model.non_trainable_variables]

    # Weights as constants: nothing to save and load again, which takes most of the time of
    # ExportArchive. The batch of 1 leaves no SHAPE, STRIDED_SLICE or PACK in the file.
    def inference(*values):
        return model.stateless_call(trainable, others, inputs.fed(inputs.together(values)),
                                    training=False)[0]

    several = len(model.inputs) > 1  # then the names tell them apart in the .tflite
    specs = [(tensor.name if several else "input", tuple(tensor.shape[1:]))
             for tensor in model.inputs]
    owner = tf.Module()  # the converter asks for the object that holds the function
    owner.inference = tf.function(inference, autograph=False).get_concrete_function(
        *(tf.TensorSpec((1, *shape), tf.float32, name=name) for name, shape in specs))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([owner.inference], owner)
    if dtype == "float":
        return bytes(converter.convert())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [sample[None] for sample in values] for values in zip(*inputs.parts(x), strict=True))
    ops = tf.lite.OpsSet
    wide = dtype == "int16x8"
    converter.target_spec.supported_ops = [
        ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8 if wide
        else ops.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = (
        tf.int16 if wide else tf.int8)
    if not per_channel:  # the converter has no public names for these
        converter._experimental_disable_per_channel = True
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return bytes(converter.convert())


def _reasons(text: str) -> list[str]:
    """The lines of a converter's message that say why, the first one first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "not supported" in line.lower()]
    unique = list(dict.fromkeys(telling or lines or ["it gave no reason"]))
    return [line[:300] for line in unique[:8]]
