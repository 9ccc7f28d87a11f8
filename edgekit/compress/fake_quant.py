"""A Keras model that trains as if it were quantized.

Kernels are rounded to their grid and activations to 8 bits in the forward pass; the backward
pass goes straight through the rounding. The graph is walked, so every layer and wiring works
that the walk knows, and only the values between them change.

Source of the method: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (2018); for codebooks, the gradient of a level is the sum of
those of its weights, as in Han et al., "Deep Compression" (2016).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgekit import inputs
from edgekit.compress import walk
from edgekit.compress.codebook import STEP, Codebook
from edgekit.compress.encoding import Encoding
from edgekit.importers.keras import import_keras

RANGE_MOMENTUM = 0.95
SMALLEST_GAIN = 1e-3  # of a scale that is tuned: it must stay above zero
# These give no value that their input had not: they have their input's quantization.
SAME = {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "GaussianNoise",
        "Flatten", "Reshape", "Permute", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D",
        "Cropping2D", "UpSampling1D", "UpSampling2D", "MaxPooling1D", "MaxPooling2D",
        "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Identity", "ActivityRegularization"}
RECTIFIERS = {"ReLU", "Relu", "Relu6"}  # fused into what is before them: that is not rounded


def fake_quantized(folded, encodings: list[Encoding], activation_bits: int | None = 8):
    """A trainable model over `folded`, whose kernels become the values of their encodings.

    `activation_bits`: None leaves activations as they are. The kernels of `folded` are made
    fractions of their `top`, which are what trains; `encodings()` gives the tuned encodings.
    """
    keras = import_keras()
    import tensorflow as tf

    class FakeQuantized(keras.Model):
        def __init__(self):
            super().__init__(name=folded.name)
            self.folded = folded
            self.quantized = _quantized_outputs(folded) if activation_bits else {}
            self.ranges = {place: self.add_weight(name=f"range_{place}", shape=(2,),
                                                  initializer="zeros", trainable=False)
                           for place in [*range(-len(folded.inputs), 0), *sorted(self.quantized)] if activation_bits}
            self.kernels = {}
            for number, found in enumerate(encodings):
                found.weight.assign(np.asarray(found.weight) / found.top)
                tuned = None
                if found.tunable:
                    tuned = (self.add_weight(name=f"knots_{number}", shape=found.book.knots.shape),
                             self.add_weight(name=f"gain_{number}", shape=found.top.shape,
                                             initializer="ones"))
                    tuned[0].assign(found.book.knots)
                self.kernels[id(found.weight)] = (found, tuned)
            self.observing = False

        def call(self, x, training=None):
            place = [-1]

            def visit(call: walk.Call):
                place[0] += 1
                outputs = self._outputs(call, training)
                if place[0] in self.ranges:
                    outputs = [self._rounded(outputs[0], place[0], training), *outputs[1:]]
                return outputs

            rounded = [self._rounded(value, -1 - number, training)
                       for number, value in enumerate(keras.tree.flatten(x))]
            return walk.run(self.folded, rounded, visit)[0]

        def observe(self, x) -> None:
            """Start the ranges of the activations with those of some samples."""
            self.observing = True
            self(inputs.fed(x), training=False)
            self.observing = False

        def encodings(self) -> list[Encoding]:
            return [found if tuned is None else replace(
                found, top=found.top * np.maximum(np.asarray(tuned[1]), SMALLEST_GAIN),
                book=Codebook(found.book.matrix, np.asarray(tuned[0], np.float64)))
                for found, tuned in self.kernels.values()]

        def _outputs(self, call: walk.Call, training) -> list:
            layer, kwargs = call.layer, call.kwargs
            if getattr(layer, "_call_has_training_arg", False) and kwargs.get("training") is None:
                kwargs = {**kwargs, "training": training}
            if not any(id(weight) in self.kernels for weight in getattr(layer, "weights", ())):
                return keras.tree.flatten(layer(*call.args, **kwargs))
            outputs, _ = layer.stateless_call(
                [self._weight(weight) for weight in layer.trainable_variables],
                [self._weight(weight) for weight in layer.non_trainable_variables],
                *call.args, **kwargs)
            return keras.tree.flatten(outputs)

        def _weight(self, weight):
            if id(weight) not in self.kernels:
                return weight.value
            found, tuned = self.kernels[id(weight)]
            return _rounded_kernel(tf, found, weight.value, tuned)

        def _rounded(self, value, place: int, training):
            if place not in self.ranges:
                return value
            limits = self.ranges[place]
            if self.observing or training:
                seen = tf.stack([tf.minimum(tf.reduce_min(value), 0),
                                 tf.maximum(tf.reduce_max(value), 0)])
                share = 0.0 if self.observing else RANGE_MOMENTUM
                limits.assign(share * limits + (1 - share) * tf.stop_gradient(seen))
            if self.observing:
                return value
            low, high = limits.value[0], tf.maximum(limits.value[1], limits.value[0] + 1e-6)
            return tf.quantization.fake_quant_with_min_max_vars(value, low, high, activation_bits)

    return FakeQuantized()


def _rounded_kernel(tf, found: Encoding, master, tuned):
    """The real weights of a kernel as the device will have them; `tuned`: knots and gain."""
    knots, gain = (None, 1.0) if tuned is None else (
        tuned[0].value, tf.maximum(tuned[1].value, SMALLEST_GAIN))
    values = tf.clip_by_value(master, -1.0, 1.0)
    if found.book is None:
        rounded = tf.round(tf.stop_gradient(values) * found.step) / found.step
    else:
        rounded = _level_of_each(tf, found.book, values, knots)
    through = rounded + values - tf.stop_gradient(values)
    if found.keep is not None:
        through = tf.where(found.keep, through, 0.0)
    return through * (found.top * gain)


def _level_of_each(tf, book: Codebook, values, knots):
    """Each value's nearest level on the int8 grid; its gradient goes to the knots."""
    knots = tf.constant(book.knots, tf.float32) if knots is None else knots
    levels = tf.sort(tf.linalg.matvec(tf.constant(book.matrix, tf.float32), knots))
    numbers = tf.searchsorted((levels[1:] + levels[:-1]) / 2, tf.reshape(values, [-1]))
    levels = tf.clip_by_value(levels, -1.0, 1.0)
    on_grid = levels + tf.stop_gradient(tf.round(levels * STEP) / STEP - levels)
    return tf.reshape(tf.gather(on_grid, numbers), tf.shape(values))


def _quantized_outputs(model) -> dict[int, None]:
    """The places in the walk of calls whose output a device rounds to 8 bits."""
    makers: dict[object, int] = {}
    kinds: list[str] = []
    readers: dict[int, list[str]] = {}

    def visit(call: walk.Call):
        kind = type(call.layer).__name__
        if kind == "Activation" and call.layer.activation.__name__ in ("relu", "relu6"):
            kind = "ReLU"
        for value in call.inputs:
            readers.setdefault(makers.get(value, -1), []).append(kind)
        outputs = [object() for _ in call.output_shapes]
        makers.update((output, len(kinds)) for output in outputs)
        kinds.append(kind)
        return outputs

    ends = {makers.get(value) for value in walk.run(model, [object() for _ in model.inputs], visit)}
    return {place: None for place, kind in enumerate(kinds)
            if kind not in SAME and place not in ends
            and not set(readers.get(place, ())) <= RECTIFIERS}
