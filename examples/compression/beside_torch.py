"""torch-pruning on the same network: weights, data, batches, epochs and size are edgekit's.

`pip install torch torch-pruning`; where they are not installed the bench leaves this out. What is
compared is pruning by L1 norm along a dependency graph, without edgekit's recalibration.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Mapping
from itertools import islice

import numpy as np

from edgekit.compress.augment import Stream
from edgekit.data import Data

BATCH = 64  # edgekit's default


def available() -> bool:
    """Whether both packages are there."""
    return all(importlib.util.find_spec(name) for name in ("torch", "torch_pruning"))


def load() -> None:
    """Import all of PyTorch that is needed, where it is installed."""
    if available():
        importlib.import_module("torch._dynamo")
        importlib.import_module("torch_pruning")


def pruned(net: str, model, rate: float, train: Data, test: Data, seed: int,
           tuning: Mapping) -> tuple[int, float]:
    """(parameters, accuracy on `test`) of a Keras network of `nets`, pruned by a rate and fine-tuned
    in PyTorch with the epochs, learning rate and augmentation of `tuning`.

    BatchNormalization's moving statistics count as parameters, as Keras counts them.
    """
    import torch
    import torch_pruning
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    twin = _twin(net, model)
    torch_pruning.pruner.BasePruner(
        twin, torch.zeros(1, 1, 28, 28), pruning_ratio=rate, ignored_layers=[twin.layers["digits"]],
        importance=torch_pruning.importance.MagnitudeImportance(p=1)).step()
    steps = tuning["epochs"] * math.ceil(len(train) / BATCH)
    batches = islice(Stream(train, tuning["augment"], BATCH, seed), steps)
    _train(twin, batches, steps, tuning["learning_rate"])
    values = [value for name, value in twin.state_dict().items() if "num_batches" not in name]
    return sum(value.numel() for value in values), _accuracy(twin, test)


def _train(twin, batches, steps: int, learning_rate: float) -> None:
    """Adam, its rate along a cosine to zero, as `edgekit.compress.finetune` has it."""
    import torch
    optimizer = torch.optim.Adam(twin.parameters(), learning_rate, eps=1e-7)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    twin.train()
    for x, y in batches:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(twin(_images(x)), torch.from_numpy(y)).backward()
        optimizer.step()
        schedule.step()


def _accuracy(twin, test: Data) -> float:
    return float(np.mean(_outputs(twin, test.x).argmax(axis=1) == test.y))


def _outputs(twin, x: np.ndarray) -> np.ndarray:
    """Outputs before the softmax."""
    import torch
    twin.eval()
    with torch.no_grad():
        return twin(_images(x)).numpy()


def _images(x: np.ndarray):
    import torch
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def _twin(net: str, model):
    """The network in PyTorch with the Keras model's weights; checked to compute the same."""
    twin = {"resnet8": _resnet8, "ds_cnn": _ds_cnn}[net]()(_layers(model))
    x = np.random.default_rng(0).random((8, 28, 28, 1)).astype(np.float32)
    mine = np.asarray(model(x, training=False))
    raw = _outputs(twin, x)
    other = np.exp(raw - raw.max(axis=1, keepdims=True))
    difference = np.abs(mine - other / other.sum(axis=1, keepdims=True)).max()
    if difference > 1e-4:
        raise ValueError(f"{net} in PyTorch differs from Keras by {difference:g}")
    return twin


def _layers(model) -> dict:
    """A PyTorch layer with the same weights for each layer of the model that has some, by name."""
    makers = {"BatchNormalization": _normalization, "Dense": _linear}
    return {layer.name: makers.get(type(layer).__name__, _convolution)(layer)
            for layer in model.layers if layer.weights}


def _convolution(layer):
    import torch
    kernel = np.asarray(layer.kernel)
    depthwise = type(layer).__name__ == "DepthwiseConv2D"
    size, _, inputs, filters = kernel.shape
    if depthwise:
        kernel, filters = kernel.transpose(0, 1, 3, 2), inputs
    made = torch.nn.Conv2d(inputs, filters, size, layer.strides, bias=layer.use_bias,
                           groups=inputs if depthwise else 1)
    made.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1).copy())
    if layer.use_bias:
        made.bias.data = torch.tensor(np.asarray(layer.bias))
    return made


def _linear(layer):
    import torch
    inputs, outputs = layer.kernel.shape
    made = torch.nn.Linear(inputs, outputs)
    made.weight.data = torch.tensor(np.asarray(layer.kernel).T.copy())
    made.bias.data = torch.tensor(np.asarray(layer.bias))
    return made


def _normalization(layer):
    import torch
    made = torch.nn.BatchNorm2d(layer.gamma.shape[0], eps=layer.epsilon, momentum=0.1)
    for target, value in ((made.weight.data, layer.gamma), (made.bias.data, layer.beta),
                          (made.running_mean, layer.moving_mean),
                          (made.running_var, layer.moving_variance)):
        target.copy_(torch.tensor(np.asarray(value)))
    return made


def _padded(x, convolution):
    """The convolution with TensorFlow's "same" padding: what is odd goes to the end."""
    import torch
    size, strides = convolution.kernel_size[0], convolution.stride[0]
    total = max((-(-x.shape[-1] // strides) - 1) * strides + size - x.shape[-1], 0)
    return convolution(torch.nn.functional.pad(
        x, (total // 2, total - total // 2, total // 2, total - total // 2)))


def _base():
    import torch

    class Network(torch.nn.Module):
        def __init__(self, layers):
            super().__init__()
            self.layers = torch.nn.ModuleDict(layers)

        def normalized(self, name, x):
            return self.layers[f"{name}_norm"](_padded(x, self.layers[name]))

        def rectified(self, name, x):
            return torch.relu(self.normalized(name, x))

        def classes(self, x):
            return self.layers["digits"](x.mean(dim=(2, 3)))

    return Network


def _resnet8():
    import torch

    class ResNet8(_base()):
        def forward(self, x):
            x = self.rectified("stem", x)
            for number in (1, 2, 3):
                y = self.rectified(f"stack{number}_first", x)
                y = self.normalized(f"stack{number}_second", y)
                shortcut = f"stack{number}_shortcut"
                x = torch.relu((self.layers[shortcut](x) if number > 1 else x) + y)
            return self.classes(x)

    return ResNet8


def _ds_cnn():
    class DsCnn(_base()):
        def forward(self, x):
            x = self.rectified("stem", x)
            for number in range(1, 5):
                x = self.rectified(f"depthwise{number}", x)
                x = self.rectified(f"pointwise{number}", x)
            return self.classes(x)

    return DsCnn
