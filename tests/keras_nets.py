"""Tiny Keras nets, one per way in which channels are tied; TensorFlow starts at the first use."""

import numpy as np
from conftest import require_module

from edgekit.importers.keras import import_keras


def keras():
    """The keras module; skips the test by name when TensorFlow is not installed."""
    require_module("tensorflow")
    return import_keras()


def sequential():
    L = keras().layers
    return keras().Sequential([
        keras().Input((6, 6, 3)), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(),
        L.Conv2D(6, 1, activation="relu"), L.Flatten(), L.Dense(12, activation="relu"), L.Dense(4)])


def residual():
    L = keras().layers
    x = keras().Input((8, 8, 3))
    stem = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, padding="same", name="stem")(x)))
    inner = L.ReLU()(L.BatchNormalization()(L.Conv2D(10, 3, padding="same", name="inner")(stem)))
    back = L.BatchNormalization()(L.Conv2D(8, 3, padding="same", name="back")(inner))
    y = L.ReLU()(L.Add()([stem, back]))
    y = L.Dense(3, name="head")(L.GlobalAveragePooling2D()(y))
    return keras().Model(x, L.Softmax()(y))


def depthwise():
    L = keras().layers
    x = keras().Input((8, 8, 1))
    y = L.ReLU()(L.BatchNormalization()(L.Conv2D(6, 3, strides=2, use_bias=False)(x)))
    y = L.ReLU()(L.BatchNormalization()(L.DepthwiseConv2D(3, depth_multiplier=2)(y)))
    y = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 1)(y)))
    y = L.SeparableConv2D(8, 1, depth_multiplier=2, activation="relu")(y)
    return keras().Model(x, L.Dense(3, activation="softmax")(L.Flatten()(y)))


def concatenated():
    L = keras().layers
    x = keras().Input((6, 6, 2))
    a = L.Conv2D(5, 1, activation="relu", name="a")(x)
    b = L.Conv2D(7, 1, activation="relu", name="b")(a)
    y = L.BatchNormalization()(L.Concatenate()([a, b, x]))
    z = L.Conv2D(14, 1, name="c")(x)
    y = L.ReLU()(y + z)  # a keras.ops Add that ties c to a and b
    y = L.Conv2DTranspose(6, 2, activation="relu", name="up")(L.AveragePooling2D(2)(y))
    return keras().Model(x, L.Dense(3, name="head")(L.Flatten()(y)))


def parametric_relu():
    L = keras().layers
    x = keras().Input((6, 6, 2))
    y = L.PReLU(shared_axes=(1, 2), name="leak")(L.Conv2D(8, 3, name="conv")(x))
    return keras().Model(x, L.Dense(3)(L.Flatten()(L.PReLU()(L.Conv2D(6, 1)(y)))))


def squeeze_excite():
    L = keras().layers
    x = keras().Input((6, 6, 2))
    y = L.Conv2D(8, 3, activation="relu", name="body")(x)
    gate = L.Dense(4, activation="relu", name="squeeze")(L.GlobalAveragePooling2D()(y))
    gate = L.Dense(8, activation="sigmoid", name="excite")(gate)
    y = L.Multiply()([y, L.Reshape((1, 1, 8))(gate)])
    return keras().Model(x, L.Dense(3)(L.GlobalMaxPooling2D()(y)))


def one_dimensional():
    L = keras().layers
    return keras().Sequential([
        keras().Input((16, 3)), L.Conv1D(8, 3, padding="causal"), L.BatchNormalization(), L.ReLU(),
        L.DepthwiseConv1D(3), L.Conv1D(6, 1, activation="relu"), L.Reshape((84,)), L.Dense(4)])


def nested_and_shared():
    L = keras().layers
    inner = keras().Sequential([keras().Input((6, 6, 4)), L.Conv2D(6, 1, name="conv"),
                              L.BatchNormalization(), L.ReLU()], name="block")
    x = keras().Input((6, 6, 4))
    shared = L.Conv2D(4, 1, activation="relu", name="conv")
    y = shared(shared(x))  # its input is the model's: all of it stays
    y = L.Conv2D(4, 1, activation="relu", name="wide")(y)
    y = inner(y, training=False)
    return keras().Model(x, L.Dense(3)(L.GlobalAveragePooling2D()(y)))


def several_ends():
    L = keras().layers
    image, motion = keras().Input((6, 6, 2), name="image"), keras().Input((8, 3), name="motion")
    seen = L.Conv2D(8, 3, activation="relu", name="see")(image)
    seen = L.AveragePooling2D(2)(seen)
    felt = L.SeparableConv1D(8, 3, padding="same", activation="relu", name="feel")(motion)
    felt = L.LeakyReLU()(L.BatchNormalization()(L.DepthwiseConv1D(3, depth_multiplier=2)(felt)))
    felt = L.Conv1D(6, 3, activation="relu", name="narrow")(L.MaxPooling1D(2)(felt))
    both = L.Concatenate()([L.Flatten()(seen), L.Flatten()(felt)])
    both = L.Dense(10, activation="relu", name="join")(L.Dropout(0.2)(both))
    return keras().Model([image, motion], [L.Dense(3, name="kind")(both),
                                           L.Conv1D(2, 1, name="each")(felt)])


def keras_operations():
    L, ops = keras().layers, keras().ops
    x = keras().Input((4, 6, 3))
    a = ops.relu(L.Conv2D(8, 1, padding="same", name="a")(x))
    b = L.Conv2D(4, 1, padding="same", activation="relu", name="b")(x)
    y = ops.concatenate([a, b], axis=-1)
    y = L.Conv2D(6, 1, activation="relu", name="c")(y)
    return keras().Model(x, L.Dense(3, name="head")(ops.reshape(y, (-1, 144))))


NETS = [sequential, residual, depthwise, concatenated, squeeze_excite, one_dimensional,
        nested_and_shared, parametric_relu, several_ends, keras_operations]


def seeded(build):
    """The net with random weights everywhere, BatchNorm's statistics included."""
    keras().utils.set_random_seed(7)
    model = build()
    random = np.random.default_rng(7)
    for weight in model.weights:
        low = 0.5 if "variance" in weight.path else -1.0
        weight.assign(random.uniform(low, 1.5, weight.shape).astype(np.float32))
    return model


def inputs(model, count, seed=1):
    """Random samples for every input: an array, or a list of them."""
    random = np.random.default_rng(seed)
    arrays = [random.uniform(-1, 1, (count, *tensor.shape[1:])).astype(np.float32)
              for tensor in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def predict(model, x):
    """The outputs of every sample; several outputs side by side, (samples, values)."""
    outputs = model(x, training=False)
    if not isinstance(outputs, list):
        return np.asarray(outputs)
    return np.concatenate([np.asarray(y).reshape(len(y), -1) for y in outputs], axis=1)
