"""MLPerf Tiny's kws and ic networks, built in Keras with seeded weights.

They stand in for the public models where EDGEKIT_MODELS is not set: the same operators and
shapes, other numbers.
"""

from __future__ import annotations

import numpy as np

from edgekit.compress.quantize import quantize
from edgekit.data import make
from edgekit.importers.keras import import_keras


def kws() -> bytes:
    """DS-CNN: 10x4 convolution, four depthwise-separable blocks, average pool, dense, softmax."""
    keras, layers = _keras()
    image = keras.Input((49, 10, 1))
    x = _normalized(layers.Conv2D(64, (10, 4), strides=2, padding="same")(image))
    for _ in range(4):
        x = _normalized(layers.DepthwiseConv2D(3, padding="same")(x))
        x = _normalized(layers.Conv2D(64, 1)(x))
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    return _quantized(keras.Model(image, layers.Dense(12, activation="softmax")(x)))


def ic() -> bytes:
    """ResNet8: three residual stacks of 16, 32 and 64 filters, average pool, dense, softmax."""
    keras, layers = _keras()
    image = keras.Input((32, 32, 3))
    x = _normalized(layers.Conv2D(16, 3, padding="same")(image))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = _normalized(layers.Conv2D(filters, 3, strides=stride, padding="same")(x))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        if stride > 1:
            x = layers.Conv2D(filters, 1, strides=stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return _quantized(keras.Model(image, layers.Dense(10, activation="softmax")(x)))


def _keras():
    keras = import_keras()
    keras.utils.set_random_seed(7)
    return keras, keras.layers


def _normalized(x):
    layers = import_keras().layers
    return layers.ReLU()(layers.BatchNormalization()(x))


def _quantized(model) -> bytes:
    shape = tuple(model.inputs[0].shape[1:])
    return quantize(model, make(np.random.default_rng(0).normal(size=(100, *shape))))


BUILD = {"kws": kws, "ic": ic}
