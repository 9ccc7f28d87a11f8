"""Two networks of MLPerf Tiny's benchmark, as large as there, for 28x28 digits."""

from __future__ import annotations


def resnet8():
    """An untrained ResNet8 (image classification): three residual stacks of 16, 32 and 64 filters.

    One grey channel goes in instead of three, and the first convolution has a stride of 2.
    """
    keras, layers = _keras()
    image = keras.Input((28, 28, 1), name="image")
    x = _rectified(_convolution(image, 16, 3, 2, "stem"))
    for number, filters in enumerate((16, 32, 64), start=1):
        strides = 1 if number == 1 else 2
        y = _rectified(_convolution(x, filters, 3, strides, f"stack{number}_first"))
        y = _convolution(y, filters, 3, 1, f"stack{number}_second")
        if strides > 1:
            x = layers.Conv2D(filters, 1, strides=strides, name=f"stack{number}_shortcut")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(image, _classes(x), name="resnet8")


def ds_cnn():
    """An untrained DS-CNN (keyword spotting): a convolution and four depthwise-separable blocks of
    64 filters; the first block has a stride of 2."""
    keras, layers = _keras()
    image = keras.Input((28, 28, 1), name="image")
    x = _rectified(_convolution(image, 64, 3, 2, "stem"))
    for number in range(1, 5):
        x = layers.DepthwiseConv2D(3, strides=2 if number == 1 else 1, padding="same",
                                   use_bias=False, name=f"depthwise{number}")(x)
        x = _rectified(_normalized(x, f"depthwise{number}"))
        x = _rectified(_convolution(x, 64, 1, 1, f"pointwise{number}"))
    return keras.Model(image, _classes(x), name="ds_cnn")


NETS = {"resnet8": resnet8, "ds_cnn": ds_cnn}


def _keras():
    import keras
    return keras, keras.layers


def _convolution(x, filters: int, size: int, strides: int, name: str):
    _, layers = _keras()
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, name)


def _normalized(x, name: str):
    """BatchNormalization, named after the convolution before it."""
    return _keras()[1].BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)


def _rectified(x):
    return _keras()[1].ReLU()(x)


def _classes(x):
    _, layers = _keras()
    return layers.Dense(10, activation="softmax", name="digits")(
        layers.GlobalAveragePooling2D(name="mean")(x))
