"""A depthwise-separable CNN for 28x28 digits, the shape of network that microcontrollers run."""

from __future__ import annotations


def build(width: int = 24):
    """An untrained functional model: 3x3 convolution, three depthwise-separable blocks, mean,
    two dense layers, softmax; `width` filters in the first layer, twice as many after it."""
    import keras
    from keras import layers

    def normalized(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    image = keras.Input((28, 28, 1), name="image")
    x = normalized(layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False,
                                 name="stem")(image))
    for number, strides in enumerate((2, 1, 1), start=1):
        x = normalized(layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False,
                                              name=f"depthwise{number}")(x))
        x = normalized(layers.Conv2D(2 * width, 1, use_bias=False, name=f"pointwise{number}")(x))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(32, activation="relu", name="hidden")(x)
    digits = layers.Dense(10, activation="softmax", name="digits")(x)
    return keras.Model(image, digits, name="mnist")
