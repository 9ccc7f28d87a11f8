"""A small one-dimensional CNN for windows of six sensor axes."""

from __future__ import annotations


def build(width: int = 16):
    """An untrained functional model: three Conv1D with BatchNormalization, mean, softmax."""
    import keras
    from keras import layers

    def normalized(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    motion = keras.Input((50, 6), name="motion")
    x = normalized(layers.Conv1D(width, 5, padding="same", use_bias=False, name="conv1")(motion))
    x = layers.MaxPooling1D(2, name="pool1")(x)
    x = normalized(layers.Conv1D(2 * width, 5, padding="same", use_bias=False, name="conv2")(x))
    x = layers.MaxPooling1D(2, name="pool2")(x)
    x = normalized(layers.Conv1D(2 * width, 3, padding="same", use_bias=False, name="conv3")(x))
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    activity = layers.Dense(4, activation="softmax", name="activity")(x)
    return keras.Model(motion, activity, name="motion")
