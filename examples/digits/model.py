"""A very small CNN for 8x8 digits: two convolutions and two dense layers."""

from __future__ import annotations


def build(width: int = 16):
    """An untrained Sequential model; `width` filters in the first convolution, twice as many in
    the second."""
    import keras
    from keras import layers
    return keras.Sequential([
        keras.Input((8, 8, 1), name="image"),
        layers.Conv2D(width, 3, padding="same", activation="relu", name="conv1"),
        layers.MaxPooling2D(name="pool"),
        layers.Conv2D(2 * width, 3, activation="relu", name="conv2"),
        layers.Flatten(name="flatten"),
        layers.Dense(32, activation="relu", name="hidden"),
        layers.Dense(10, activation="softmax", name="digits"),
    ], name="digits")
