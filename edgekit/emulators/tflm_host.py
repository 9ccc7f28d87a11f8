"""The golden: TensorFlow Lite Micro itself, from the `tflite-micro` wheel, on the host."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version

import numpy as np

from edgekit.errors import BadModel, NotThere
from edgekit.graph import Graph


def available() -> bool:
    return importlib.util.find_spec("tflite_micro") is not None


def golden_name() -> str:
    """What the golden outputs come from, as reports name it."""
    return f"tflite-micro {version('tflite-micro')}"


class TflmHost:
    """An interpreter over one model; `preserve` keeps every tensor readable after `run`."""

    def __init__(self, model: bytes, graph: Graph, *, preserve: bool = False):
        if not available():
            raise NotThere("the Python package tflite-micro is not there",
                           "pip install 'edgekit[tflm]' (x86-64 Linux only)")
        from tflite_micro import runtime
        config = runtime.InterpreterConfig
        self.graph = graph
        # Preserving keeps all activations at once: give it room for their sum.
        arena = 10 * len(model) + 2 * sum(t.nbytes for t in graph.tensors) + 100_000
        try:
            self._interpreter = runtime.Interpreter.from_bytes(
                model, arena_size=arena,
                intrepreter_config=config.kPreserveAllTensors if preserve
                else config.kAllocationRecording)
        except RuntimeError as error:
            raise BadModel(f"TensorFlow Lite Micro refuses the model: {error}",
                           "edgekit check MODEL names the operators it cannot run") from error

    def run(self, inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """The outputs of one inference."""
        for i, (index, value) in enumerate(zip(self.graph.inputs, inputs, strict=True)):
            tensor = self.graph.tensors[index]
            self._interpreter.set_input(np.asarray(value, tensor.dtype.value)
                                        .reshape(tensor.shape), i)
        self._interpreter.invoke()
        return tuple(np.array(self._interpreter.get_output(i))
                     for i in range(len(self.graph.outputs)))

    def tensor(self, index: int) -> np.ndarray:
        """A tensor of the last run (with `preserve`)."""
        return np.array(self._interpreter.GetTensor(index, 0)["tensor_data"])
